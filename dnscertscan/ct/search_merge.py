"""One issuance, one identity: what all sources say, by TBS hash, across precertificate and certificate. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import Conflict, SearchResult, Sighting, Sightings
from dnscertscan.pki.parse import parse


def merge(results: Iterable[SearchResult], left_out: tuple[tuple[DnsName, str], ...] = ()) -> Sightings:
    """All answers as one. An unavailable answer counts with what was kept of an earlier one."""
    copies: dict[str, list[Issuance]] = defaultdict(list)
    unidentified: dict[tuple[str, str, str, tuple[str, ...]], Issuance] = {}
    answers: list[SearchResult] = []
    for result in results:
        answers.append(replace(result, issuances=()))
        for issuance in result.issuances:
            if issuance.tbs_sha256:
                copies[issuance.tbs_sha256].append(issuance)
            else:
                unidentified.setdefault((issuance.source, issuance.issuer, issuance.serial, issuance.names), issuance)
    sightings = {identity: _sighting(found) for identity, found in copies.items()}
    return Sightings(sightings, tuple(unidentified.values()), _conflicts(sightings), tuple(answers), left_out)


def _sighting(copies: list[Issuance]) -> Sighting:
    """The copy that says most, with what only the others know."""
    ordered = sorted(copies, key=lambda one: (one.der is None, one.precert, one.source, one.cert_sha256 or ""))
    best = ordered[0]
    for other in ordered[1:]:
        best = replace(
            best, cert_sha256=best.cert_sha256 or other.cert_sha256,
            issuer_spki_sha256=best.issuer_spki_sha256 or other.issuer_spki_sha256, issuer=best.issuer or other.issuer,
            subject=best.subject or other.subject, serial=best.serial or other.serial,
            key_sha256=best.key_sha256 or other.key_sha256,
            not_before=best.not_before or other.not_before, not_after=best.not_after or other.not_after,
            first_seen=min((when for when in (best.first_seen, other.first_seen) if when), default=None),
            der=best.der or other.der, names=best.names or other.names, revoked=best.revoked or other.revoked,
        )
    forms = {Certificate(one.der).sha256 for one in ordered if one.der} | {one.cert_sha256 for one in ordered if one.cert_sha256}
    return Sighting(best, tuple(sorted({one.source for one in ordered})), tuple(sorted(forms)))


def _conflicts(sightings: Mapping[str, Sighting]) -> tuple[Conflict, ...]:
    certain: dict[tuple[str, str], dict[str, Issuance]] = defaultdict(dict)
    likely: dict[tuple[str, bytes, str], dict[str, Issuance]] = defaultdict(dict)
    for identity, sighting in sightings.items():
        one = sighting.issuance
        if not one.serial:
            continue
        if one.issuer_spki_sha256:
            certain[one.issuer_spki_sha256, one.serial][identity] = one
        if one.der and (key_id := _authority(one.der)):
            likely[one.issuer, key_id, one.serial][identity] = one
    found = {
        tuple(sorted(group)): Conflict(spki, next(iter(group.values())).issuer, serial, tuple(sorted(group)), True)
        for (spki, serial), group in certain.items() if len(group) > 1
    }
    for (issuer, _, serial), group in likely.items():
        keys = {one.issuer_spki_sha256 for one in group.values()}
        # Where all keys are known they decide; names and key identifiers are what is left otherwise.
        if len(group) > 1 and None in keys:
            found.setdefault(tuple(sorted(group)), Conflict("", issuer, serial, tuple(sorted(group)), False))
    return tuple(found[tbs] for tbs in sorted(found))


def _authority(der: bytes) -> bytes:
    authority = parse(Certificate(der)).extensions.authority_key
    return (authority.key_id or b"") if authority else b""
