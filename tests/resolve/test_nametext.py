"""Names as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.names import DnsName
from dnscertscan.resolve.addresses import canonical, unscannable
from dnscertscan.resolve.nametext import impossible, parents, substitute


def test_parents_go_up_to_the_root():
    """Nearest first, the root last; a dot inside a label is no border."""
    assert list(parents("a.b.example")) == ["b.example", "example", ""]
    assert list(parents("a\\.b.example")) == ["example", ""]
    assert list(parents("")) == []


@pytest.mark.parametrize("text", ["a..b", ".a", "x" * 64 + ".example", ".".join(["a"] * 128), "ü.example", "a." * 500_000 + "b"])
def test_impossible_names(text):
    """What no DNS message can carry is told, also when it is a million characters long."""
    assert impossible(DnsName(text))


@pytest.mark.parametrize("text", ["", "a b.example", "_x.example", "*.example", "\\000" * 63 + ".example", ".".join(["a"] * 127)])
def test_possible_names(text):
    """What DNS can carry may be asked for, host name or not; an escape is one octet."""
    assert impossible(DnsName(text)) is None


def test_substitute_replaces_the_suffix():
    """RFC 6672 section 2.2, table 1: labels above the owner are kept."""
    assert substitute("foo.example.com", "example.com", "example.net") == "foo.example.net"
    assert substitute("a.x.example.com", "x.example.com", "y") == "a.y"
    assert substitute("a.b", "b", "") == "a"
    assert substitute("a.b", "", "c") == "a.b.c"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("nonsense", "nonsense"),
    ],
)
def test_canonical_addresses(text, expected):
    """One spelling for each address."""
    assert canonical(text) == expected


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0", "fe80::1", "1.2.3", "::1%lo", "9" * 1000],
)
def test_unscannable_addresses(text):
    """Addresses nothing can be connected to have a reason."""
    assert unscannable(text)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "10.0.0.1", "::ffff:10.0.0.1", "192.0.2.255"])
def test_scannable_addresses(text):
    """Private and loopback addresses are scanned: the zones' owner runs this."""
    assert unscannable(text) is None


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text):
    """No text makes the helpers fail."""
    impossible(DnsName(text))
    canonical(text)
    unscannable(text)
    assert list(parents(text))[-1:] == ([""] if text else [])
