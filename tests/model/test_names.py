"""Domain names: every spelling of a zone becomes one value, and no text makes it crash."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.names import DnsName
from dnscertscan.model.text import visible

ZONE = DnsName("example.com")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("www", "www.example.com"),
        ("WWW", "www.example.com"),
        ("@", "example.com"),
        ("", "example.com"),
        ("www.example.org.", "www.example.org"),
        ("www.example.com", "www.example.com.example.com"),
        ("*", "*.example.com"),
        ("_acme-challenge", "_acme-challenge.example.com"),
        ("bücher", "xn--bcher-kva.example.com"),
        ("faß.example.org.", "xn--fa-hia.example.org"),
        ("例。テスト.", "xn--fsq.xn--zckzah"),
    ],
)
def test_spellings(raw: str, text: str) -> None:
    """Relative, absolute, apex, wildcard and internationalised (IDNA 2008, not 2003) names."""
    assert DnsName.parse(raw, ZONE).text == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty name"),
        ("a..b", "empty label"),
        (".a", "empty label"),
        ("*.example.com", "wildcard label"),
        ("x" * 64 + ".example.com", "longer than 63"),
        (".".join(["x" * 60] * 5), "longer than 253"),
        ("a b.example.com", "no host name"),
        ("-a.example.com", "no host name"),
        ("a\\.b.example.com", "no host name"),
        ("☃☃\u202e.example.com", "internationalised"),
    ],
)
def test_problems(text: str, problem: str) -> None:
    """What no server can be asked for says why."""
    assert problem in (DnsName(text).problem or "")


@pytest.mark.parametrize(
    "text", ["example.com", "_dmarc.example.com", "a_b.example.com", "xn--bcher-kva.example.com", "1.2.example"]
)
def test_scannable(text: str) -> None:
    """Underscores and digits are no problem."""
    assert DnsName(text).problem is None


def test_tree() -> None:
    """Parents, children and zones; an escaped dot separates nothing."""
    name = DnsName("a\\.b.www.example.com")
    assert name.labels == ("a\\.b", "www", "example", "com")
    assert name.parent == DnsName("www.example.com")
    assert DnsName("com").parent == DnsName("") == DnsName("").parent
    assert name.is_within(ZONE)
    assert not DnsName("badexample.com").is_within(ZONE)
    assert ZONE.child("www") == DnsName("www.example.com")
    assert DnsName("*.a").is_wildcard
    assert not DnsName("x*.a").is_wildcard


@given(st.text(max_size=300))
def test_any_text_is_a_name(raw: str) -> None:
    """Hostile text becomes a value whose display is one safe line."""
    name = DnsName.parse(raw, ZONE)
    assert name.problem is None or name.problem.isprintable()
    assert visible(name.display, 5000) == name.display
    assert len(name.display) < 3000
