"""What a revocation list says about a certificate, and whether it may say so (RFC 5280 5 and 6.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki import der
from dnscertscan.pki.crl_list import Entry, RevocationList, read_list
from dnscertscan.pki.distribution import Scope
from dnscertscan.pki.parse import Facts, parse
from dnscertscan.pki.signatures import verify
from dnscertscan.pki.wording import moment, quoted

_CRL_SIGN = 0x02


class CrlStatus(StrEnum):
    """What is known after looking."""

    GOOD = "good"
    REVOKED = "revoked"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class CrlVerdict:
    """``revoked_at`` (aware UTC) and ``reason`` (``keyCompromise``...) of a revoked one; ``why`` of a list that proves nothing.

    ``next_update`` is when a usable list is due to be replaced. ``url`` is where it came from, where that is known.
    """

    status: CrlStatus
    revoked_at: datetime | None = None
    reason: str = ""
    why: str = ""
    next_update: datetime | None = None
    url: str = ""


def unusable(why: str, url: str = "") -> CrlVerdict:
    """No list, or one that proves nothing; ``why`` is raw text."""
    return CrlVerdict(CrlStatus.UNUSABLE, why=why, url=url)


def judge_crl(certificate: Certificate, issuer: Certificate, crl: bytes, at: datetime) -> CrlVerdict:
    """What ``crl`` (DER or PEM) says of ``certificate`` at the aware time ``at``; never raises for what is in the octets.

    A list is used only when the key of ``issuer`` signed it, it is of the certificate's issuer, covers the certificate for all
    reasons, is in force at ``at``, and has no critical extension that is not understood. Delta and indirect lists are not used.
    """
    try:
        listed = read_list(crl)
    except der.DerError as error:
        return unusable(f"it cannot be read ({error})")
    return judge_list((certificate,), issuer, listed, at)[0]


def judge_list(
    certificates: Sequence[Certificate], issuer: Certificate, listed: RevocationList, at: datetime, url: str = ""
) -> tuple[CrlVerdict, ...]:
    """The same for several certificates of one issuer at once: one signature check and one walk over the list."""
    authority = parse(issuer)
    common = _problem(listed, authority, at)
    if common:
        return tuple(unusable(common, url) for _ in certificates)
    facts = [parse(certificate) for certificate in certificates]
    try:
        entries = listed.find(frozenset(one.serial for one in facts))
    except der.DerError as error:
        return tuple(unusable(f"it cannot be used ({error})", url) for _ in certificates)
    return tuple(_verdict(one, listed, entries.get(one.serial), at, url) for one in facts)


def _problem(listed: RevocationList, issuer: Facts, at: datetime) -> str:
    """Why the list is of no use for anything this issuer issued; empty when it is. The costly question comes last."""
    cheap = _another_kind(listed, issuer) or _not_in_force(listed, at)
    if cheap or verify(issuer.key, listed.algorithm, listed.signature, listed.data[slice(*listed.signed)]):
        return cheap
    return f'it is not signed by the key of the issuer "{quoted(issuer.subject.text)}"'


def _another_kind(listed: RevocationList, issuer: Facts) -> str:
    if listed.issuer.key != issuer.subject.key:
        return f'it is a list of "{quoted(listed.issuer.text)}", not of the issuer "{quoted(issuer.subject.text)}"'
    if issuer.extensions.usage is not None and not issuer.extensions.usage & _CRL_SIGN:
        return f'the key usage of "{quoted(issuer.subject.text)}" does not allow it to sign lists'
    if listed.scope is not None and listed.scope.indirect:
        return "it is an indirect list, which is not supported"
    if listed.scope is not None and listed.scope.only_attribute:
        return "it covers attribute certificates only"
    return listed.problem


def _not_in_force(listed: RevocationList, at: datetime) -> str:
    """An outdated list is read first: it may say more than that it is outdated."""
    if listed.this_update > at:
        return f"it is valid from {moment(listed.this_update)} on"
    return "it does not say until when it is in force (no nextUpdate)" if listed.next_update is None else ""


def _verdict(facts: Facts, listed: RevocationList, entry: Entry | None, at: datetime, url: str) -> CrlVerdict:
    if facts.problem or facts.issuer.key != listed.issuer.key:
        return unusable(facts.problem or f'the certificate is not of its issuer "{quoted(listed.issuer.text)}"', url)
    scope = listed.scope or Scope()
    if outside := _outside(facts, listed, scope):
        return unusable(outside, url)
    if listed.next_update is not None and listed.next_update < at.replace(microsecond=0):
        said = f" (it names this certificate as revoked at {moment(entry.when)}: {entry.reason_text})" if entry else ""
        return unusable(f"it is outdated: to be replaced by {moment(listed.next_update)}{said}", url)
    if entry is not None:
        return CrlVerdict(CrlStatus.REVOKED, entry.when, entry.reason_text, next_update=listed.next_update, url=url)
    if scope.partial or not _for_all_reasons(facts, listed, scope):
        return unusable("it covers some of the reasons for revocation only, and does not name this certificate", url)
    return CrlVerdict(CrlStatus.GOOD, next_update=listed.next_update, url=url)


def _outside(facts: Facts, listed: RevocationList, scope: Scope) -> str:
    """Why the certificate is not among those the list covers (RFC 5280 6.3.3 b 2); empty when it is."""
    if scope.only_user and facts.is_ca:
        return "it covers no CA certificates"
    if scope.only_ca and not facts.is_ca:
        return "it covers CA certificates only"
    if scope.name is None:
        return ""
    named = [point.name for point in facts.extensions.crl_points if point.name is not None and not point.indirect]
    if any(scope.name.fits(name, listed.issuer) for name in named):
        return ""
    place = ", ".join(scope.name.full.uris[:2]) or "another distribution point"
    return f"it covers another part of the issuer's certificates ({quoted(place)}), the certificate does not name that one"


def _for_all_reasons(facts: Facts, listed: RevocationList, scope: Scope) -> bool:
    if scope.name is None:
        return True
    fitting = [point for point in facts.extensions.crl_points if point.name and scope.name.fits(point.name, listed.issuer)]
    return any(not point.partial for point in fitting)
