"""What a CAA RRset allows (RFC 8659, parameters of RFC 8657). Pure: which RRset is the relevant one is for others to find."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CaaRecord

UNDERSTOOD = frozenset({"issue", "issuewild", "issuemail", "issuevmc", "iodef", "contactemail", "contactphone"})
"""Property tags that public CAs know (IANA registry "Certification Authority Restriction Properties")."""
_LABEL = "[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PARAMETER = re.compile(rf"({_LABEL})[ \t]*=[ \t]*([\x21-\x3A\x3C-\x7E]*)")
_MAX_VALUE = 4096
_SHOWN = 6


class Ruling(StrEnum):
    """Whether a CA may issue; UNKNOWN when that cannot be decided."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decision:
    """A ruling and why, one line that is safe to show."""

    ruling: Ruling
    reason: str


@dataclass(frozen=True, slots=True)
class Permission:
    """The value of an issue or issuewild property. ``issuer`` is a domain in lower case; empty: no CA at all.

    ``parameters`` are (tag in lower case, value), in order. ``problem`` is why the value does not follow the grammar: then no CA
    is meant by it (RFC 8659 4.2), and ``issuer`` is empty.
    """

    issuer: str
    parameters: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    @property
    def accounts(self) -> tuple[str, ...]:
        """ACME accounts it is limited to (RFC 8657 3); none: every account of the CA."""
        return tuple(value for tag, value in self.parameters if tag == "accounturi")


def read_permission(value: str) -> Permission:
    """Read the value of an issue or issuewild property (RFC 8659 4.2); never raises."""
    if len(value) > _MAX_VALUE:
        return Permission("", problem=f"value of {len(value)} characters")
    head, semicolon, rest = value.partition(";")
    issuer = head.strip(" \t")
    if issuer and not _DOMAIN.fullmatch(issuer):
        return Permission("", problem=f"{visible(issuer, 80)!r} is no domain name")
    parameters: list[tuple[str, str]] = []
    parts = [part.strip(" \t") for part in rest.split(";")] if semicolon else []
    if parts and not parts[-1]:
        parts.pop()
    for part in parts:
        found = _PARAMETER.fullmatch(part)
        if found is None:
            return Permission("", problem=f"{visible(part, 80)!r} is no parameter")
        parameters.append((found[1].lower(), found[2]))
    return Permission(issuer.lower(), tuple(parameters))


def permissions(records: Iterable[CaaRecord], *, wildcard: bool) -> tuple[Permission, ...] | None:
    """What counts for a name, or for a wildcard (issuewild first, RFC 8659 4.3); None: the RRset restricts nobody."""
    by_tag: dict[str, list[Permission]] = {"issue": [], "issuewild": []}
    for record in records:
        if record.tag.lower() in by_tag:
            by_tag[record.tag.lower()].append(read_permission(record.value))
    found = (by_tag["issuewild"] if wildcard else []) or by_tag["issue"]
    return tuple(found) or None


def decide(records: Sequence[CaaRecord], domains: Collection[str] | None, *, wildcard: bool) -> Decision:
    """Whether the CA that goes by ``domains`` (lower case; None: nobody knows by which) may issue under this RRset.

    An empty RRset restricts nobody. A critical property with a tag that public CAs do not know forbids everybody to issue
    (RFC 8659 4.1). Accounts and methods (RFC 8657) cannot be seen in a certificate, so they are not looked at.
    """
    strange = sorted({record.tag.lower() for record in records if record.critical and record.tag.lower() not in UNDERSTOOD})
    if strange:
        tags = ", ".join(f'"{visible(tag, 40)}"' for tag in strange[:_SHOWN])
        return Decision(Ruling.DENIED, f"it has a critical property that no public CA is known to understand: {tags}")
    found = permissions(records, wildcard=wildcard)
    if found is None:
        return Decision(Ruling.ALLOWED, "it restricts no CA")
    allowed = sorted({permission.issuer for permission in found if permission.issuer})
    if not allowed:
        return Decision(Ruling.DENIED, "it allows no CA at all")
    shown = _listed(allowed)
    if domains is None:
        return Decision(Ruling.UNKNOWN, f"it allows {shown}, and by which domain this CA goes is not known")
    if {domain.lower() for domain in domains} & set(allowed):
        return Decision(Ruling.ALLOWED, f"it allows {shown}")
    return Decision(Ruling.DENIED, f"it allows only {shown}")


def _listed(domains: Sequence[str]) -> str:
    more = f" and {len(domains) - _SHOWN} more" if len(domains) > _SHOWN else ""
    return ", ".join(f'"{visible(domain, 100)}"' for domain in domains[:_SHOWN]) + more
