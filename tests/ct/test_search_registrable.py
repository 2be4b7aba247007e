"""Which domains are searched for: registrable ones, each once, nothing internal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.ct.registrable import registrable, sort_domains
from dnscertscan.model.names import DnsName


def names(*texts: str) -> list[DnsName]:
    return [DnsName.parse(text) for text in texts]


def texts(found: tuple[DnsName, ...]) -> list[str]:
    return [name.text for name in found]


@pytest.mark.parametrize(("name", "domain"), [
    ("www.example.com", "example.com"), ("a.b.example.co.uk", "example.co.uk"), ("*.example.com", "example.com"),
    ("_dmarc.example.com", "example.com"), ("WWW.Example.COM.", "example.com"), ("www.ck", "www.ck"),
    ("a.b.kobe.jp", "a.b.kobe.jp"),
    ("city.kobe.jp", "city.kobe.jp"), ("www.пример.рф", "xn--e1afmkfd.xn--p1ai"), ("user.github.io", "user.github.io"),
    ("a.user.github.io", "user.github.io"), ("foo.eu.org", "foo.eu.org"),
])
def test_one_registrable_domain(name: str, domain: str) -> None:
    """Suffixes of several labels, wildcard rules and their exceptions, A-labels, private suffixes."""
    assert texts(registrable(names(name))) == [domain]


def test_each_domain_once() -> None:
    """A thousand hosts of a zone are one search."""
    hosts = [DnsName(f"h{number}.example.com") for number in range(1000)]
    assert texts(registrable([*hosts, *names("example.com", "example.org")])) == ["example.com", "example.org"]


def test_without_private_suffixes() -> None:
    """Only what registries registered: the whole of github.io is then one domain."""
    assert texts(registrable(names("a.github.io", "b.github.io"), private=False)) == ["github.io"]


def test_the_owner_of_a_private_suffix() -> None:
    """Who has the zone github.io asks for it once, not for every customer."""
    assert texts(registrable(names("github.io", "a.github.io", "b.c.github.io"))) == ["github.io"]


def test_internal_names_are_set_apart() -> None:
    """Nothing of them is in what goes to search services."""
    found = sort_domains(names(
        "dc1.corp.internal", "corp.internal", "x.y.lan", "printer.local", "a.home.arpa", "home.arpa", "intranet", "www.example",
        "a.b.test", "www.example.net",
    ))
    assert texts(found.public) == ["example.net"]
    assert texts(found.internal) == ["b.test", "corp.internal", "home.arpa", "intranet", "printer.local", "www.example", "y.lan"]
    assert found.left_out == ()


def test_a_suffix_of_ones_own() -> None:
    """A network with its own root says which suffixes count, also one of several labels."""
    also = frozenset({"example", "corp.lan"})
    found = sort_domains(names("a.watched.example", "a.b.corp.lan", "x.lan", "example"), also=also)
    assert texts(found.public) == ["b.corp.lan", "watched.example"]
    assert texts(found.internal) == ["x.lan"]
    assert texts(tuple(name for name, _ in found.left_out)) == ["example"]


@pytest.mark.parametrize(("name", "why"), [
    ("com", "public suffix"), ("co.uk", "public suffix"), ("*.co.uk", "public suffix"), ("192.0.2.1", "an address"),
    ("2001:db8::1", "an address"), ("2.0.192.in-addr.arpa", "arpa"), ("a..example.com", "empty label"), ("", "empty name"),
    ("a b.example.com", "characters"), ("*", "wildcard"), ("x" * 300 + ".com", "longer"), ("a.*.example.com", "wildcard"),
])
def test_names_nobody_is_asked_for(name: str, why: str) -> None:
    """Each is named, with the reason: nothing is lost silently."""
    found = sort_domains([DnsName(name)])
    ((left, reason),) = found.left_out
    assert (found.public, found.internal, left.text) == ((), (), name)
    assert why in reason


@given(st.lists(st.text(max_size=40).map(DnsName.parse), max_size=5), st.booleans())
def test_every_name_ends_somewhere(wild: list[DnsName], private: bool) -> None:
    """Each name is left out, or within one of the domains."""
    found = sort_domains(wild, private=private)
    left = {name for name, _ in found.left_out}
    for name in wild:
        assert name in left or any(name.is_within(domain) for domain in (*found.public, *found.internal))
