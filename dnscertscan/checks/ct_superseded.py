"""Renewed, but the old certificate is still served: a roll-out that failed, found address by address (DCS620)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dnscertscan.checks.ct_ca import family
from dnscertscan.checks.ct_rows import Row, listed, marks, origin, told, validity
from dnscertscan.checks.ct_seen import Elsewhere, Leaf, Seen, Stale
from dnscertscan.checks.hits import plain_finding
from dnscertscan.checks.subjects import RecordText, subject_of
from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CtPolicy, Known
from dnscertscan.pki.fault import Fault


@dataclass(frozen=True, slots=True)
class Superseded:
    """A place that serves ``leaf``, and the issuance it ought to serve."""

    stale: Stale
    newer: Row


def superseded(seen: Seen, rows: Mapping[str, Row], policy: CtPolicy) -> Iterator[Superseded]:
    """Every stale place with the newest renewal, one that is served somewhere first.

    A newer certificate of another CA that is served nowhere is no renewal: it is somebody else's, or an unknown key (DCS622).
    """
    for stale in seen.stale:
        ours = [rows[tbs] for tbs in stale.newer if _is_renewal(rows[tbs], stale.leaf, seen, policy)]
        served = [row for row in ours if row.issuance.tbs_sha256 in seen.served]
        if found := served or ours:
            yield Superseded(stale, found[-1])


def _is_renewal(row: Row, leaf: Leaf, seen: Seen, policy: CtPolicy) -> bool:
    one = row.issuance
    if one.tbs_sha256 in seen.served or one.key_sha256 in seen.keys:
        return True
    return bool(family(one.issuer, policy.ca_domains) & family(leaf.ref.issuer, policy.ca_domains))


def findings(
    found: Sequence[Superseded], elsewhere: Elsewhere, known: Known, at: datetime, record_text: RecordText,
) -> Iterator[Finding]:
    """One for each place."""
    for one in found:
        target, leaf, newer = one.stale.target, one.stale.leaf, one.newer
        tbs, key = newer.issuance.tbs_sha256, newer.issuance.key_sha256 or ""
        first, count = elsewhere.at(tbs, target.server_name.text)
        others = elsewhere.names(tbs)
        step = "install it and reload the server"
        if count:
            more = f" and {count - len(first)} more" if count > len(first) else ""
            where = f"it is served for this name at {listed(other.endpoint.text for other in first)}{more}"
            step = "install it here as well and reload the server"
        elif others:
            where = f"it is served for {listed(others)}"
            step = "install it here as well and reload the server"
        elif place := known.issuances.get(tbs) or known.keys.get(key):
            where = f"it is known here ({visible(place, 200)}), but served nowhere that was looked at"
        else:
            where = "it is served nowhere that was looked at"
            step = "install it and reload the server; if nobody here asked for it, have it revoked"
        message = (
            "certificate was renewed, but the old one is still served: "
            f"{target.endpoint.text} serves {_served(leaf.ref, leaf.tbs)}; CT has "
            f"{told(newer.sighting)} for the same names, {origin(newer.sighting)}; {where}; {step}"
        )
        severity = Severity.ERROR if others and _ends_soon(leaf.ref, at) else None
        fault = Fault("ct-superseded", message, leaf.ref, severity)
        yield plain_finding(fault, subject_of(target, record_text), target, leaf.ref)


def _served(leaf: CertificateRef, tbs: str) -> str:
    found = marks(leaf.serial, leaf.sha256, tbs)
    return f'"{visible(leaf.subject, 150)}" ({found}, {validity(leaf.not_before, leaf.not_after)})'


def _ends_soon(leaf: CertificateRef, at: datetime) -> bool:
    """Less than a third of its life is left: by then a renewal has long been due."""
    if leaf.not_before is None or leaf.not_after is None:
        return False
    return leaf.not_after - at < max((leaf.not_after - leaf.not_before) / 3, timedelta())
