"""Which domains search services are asked for: the registrable ones (public suffix list), never hosts, never internal names.

The list is the one inside the ``publicsuffixlist`` package; it is never fetched.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from publicsuffixlist import PublicSuffixList

from dnscertscan.model.names import DnsName

_INTERNAL = frozenset({"alt", "example", "internal", "invalid", "local", "localhost", "onion", "test"})
"""Top-level names that no public CA issues for (RFC 2606, 6761, 6762, 7686, 9476; ICANN for internal)."""
_HOME = DnsName("home.arpa")
_REVERSE = "arpa"


@dataclass(frozen=True, slots=True)
class Domains:
    """What to search for. All three are sorted.

    ``public`` are registrable domains. ``internal`` ones (home.arpa, a top-level name that the public suffix list does not have)
    are told to nobody outside: only a source on this machine is asked for them. ``left_out`` are names, and why no one is asked.
    """

    public: tuple[DnsName, ...]
    internal: tuple[DnsName, ...]
    left_out: tuple[tuple[DnsName, str], ...]


def sort_domains(names: Iterable[DnsName], *, private: bool = True, also: frozenset[str] = frozenset()) -> Domains:
    """Sort ``names`` (hosts, zones, wildcards) into the domains they belong to.

    With ``private`` the suffixes count that companies registered for their customers (``github.io``), so that nobody asks for
    everything below one; a name that is such a suffix itself is taken for the asker's own domain, and stands for all below it.
    ``also`` are suffixes that count as public beside the list, as in a network with a root of its own.
    """
    public: set[DnsName] = set()
    internal: set[DnsName] = set()
    left_out: dict[DnsName, str] = {}
    for name in set(names):
        bare = DnsName(name.text[2:]) if name.is_wildcard and len(name.labels) > 1 else name
        if why := _unusable(bare):
            left_out[name] = why
        elif domain := _internal(bare, also):
            internal.add(domain)
        elif domain := _registrable(bare, private, also):
            public.add(domain)
        else:
            left_out[name] = "it is a public suffix, others register their domains below it"
    return Domains(_outermost(public), _outermost(internal), tuple(sorted(left_out.items())))


def registrable(names: Iterable[DnsName], *, private: bool = True, also: frozenset[str] = frozenset()) -> tuple[DnsName, ...]:
    """The registrable domains of ``names``, sorted: see :func:`sort_domains`, which also tells what became of the others."""
    return sort_domains(names, private=private, also=also).public


def _unusable(name: DnsName) -> str:
    try:
        ip_address(name.text)
    except ValueError:
        pass
    else:
        return "it is an address"
    if name.problem:
        return name.problem
    if name.labels[-1] == _REVERSE and not name.is_within(_HOME):
        return "names below arpa are not for certificates"
    return ""


def _internal(name: DnsName, also: frozenset[str]) -> DnsName | None:
    """The domain below the last label, or what stands for it, when that is no public one."""
    if any(name.is_within(DnsName(suffix)) for suffix in also):
        return None
    if name.is_within(_HOME):
        return _below(name, 2)
    known = name.labels[-1] not in _INTERNAL and _list(icann=False).publicsuffix(name.text) is not None
    return None if known else _below(name, 1)


def _below(name: DnsName, suffix: int) -> DnsName:
    return DnsName(".".join(name.labels[-suffix - 1 :]))


def _registrable(name: DnsName, private: bool, also: frozenset[str]) -> DnsName | None:
    for suffix in sorted(also, key=len, reverse=True):
        if name.text == suffix:
            return None
        if name.is_within(DnsName(suffix)):
            return _below(name, len(DnsName(suffix).labels))
    found = _list(icann=not private).privatesuffix(name.text) or _list(icann=True).privatesuffix(name.text)
    return DnsName(found) if found else None


def _outermost(domains: set[DnsName]) -> tuple[DnsName, ...]:
    """Without those that another one of them stands for."""

    def covered(domain: DnsName) -> bool:
        parent = domain.parent
        while parent.text:
            if parent in domains:
                return True
            parent = parent.parent
        return False

    return tuple(sorted(domain for domain in domains if not covered(domain)))


@lru_cache(maxsize=2)
def _list(*, icann: bool) -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=icann)
