"""Renewed, but the old certificate is still served: a roll-out that failed, found address by address (DCS620)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dnscertscan.checks.ct_rows import Row, listed, marks, origin, told, validity
from dnscertscan.checks.ct_seen import Elsewhere, Leaf, Seen, Stale
from dnscertscan.checks.hits import plain_finding
from dnscertscan.checks.subjects import RecordText, subject_of
from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import Known
from dnscertscan.pki.fault import Fault

ONE_RENEWAL = timedelta(days=1)
"""Certificates of one CA for the same names that begin closer than this were made together: for two kinds of keys, by a retry."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """A place that serves ``leaf``, and the issuance it ought to serve."""

    stale: Stale
    newer: Row


def superseded(seen: Seen) -> Iterator[Superseded]:
    """Every stale place with the newest renewal, one that is served somewhere first.

    A newer certificate of another CA that is served nowhere is no renewal: it is somebody else's, or an unknown key (DCS622).
    """
    chosen: dict[tuple[bytes, str, bool, str], tuple[Row | None, Row | None]] = {}
    for stale in seen.stale:
        key = (stale.leaf.names_key, stale.kind, stale.alone, stale.leaf.ref.issuer)
        if key not in chosen:  # the newest one is the same for every place that is behind it
            chosen[key] = _newest(seen, stale)
        served, ours = chosen[key]
        if served is not None and _later(served, stale.leaf) > timedelta():
            yield Superseded(stale, served)
        elif ours is not None and _later(ours, stale.leaf) >= ONE_RENEWAL:
            yield Superseded(stale, ours)


def _newest(seen: Seen, stale: Stale) -> tuple[Row | None, Row | None]:
    """The newest candidate that is served anywhere, and the newest renewal of all."""
    every = list(seen.candidates(stale.leaf.names_key, stale.kind, alone=stale.alone))
    served = (row for row in every if row.issuance.tbs_sha256 in seen.served)
    ours = (row for row in every if _is_renewal(row, stale.leaf, seen))
    return max(served, key=_start, default=None), max(ours, key=_start, default=None)


def _start(row: Row) -> tuple[float, str]:
    start = row.issuance.not_before
    return (0.0 if start is None else start.timestamp()), row.issuance.tbs_sha256


def _later(newer: Row, leaf: Leaf) -> timedelta:
    """How much later ``newer`` begins."""
    start, own = newer.issuance.not_before, leaf.ref.not_before
    return timedelta() if start is None or own is None else start - own


def _is_renewal(row: Row, leaf: Leaf, seen: Seen) -> bool:
    one = row.issuance
    if one.tbs_sha256 in seen.served or one.key_sha256 in seen.keys:
        return True
    return bool(seen.family(one.issuer) & seen.family(leaf.ref.issuer))


def findings(
    found: Sequence[Superseded], seen: Seen, elsewhere: Elsewhere, known: Known, at: datetime, record_text: RecordText,
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
        elif key in seen.keys:
            where = "it is served nowhere that was looked at, its key is served with another certificate"
        else:
            where = "it is served nowhere that was looked at, and its key is not known here"
            step = (
                "find out who ordered it before anything else: if it is yours, roll it out to the server, "
                "else have it revoked, as somebody else can pose as the name"
            )
        if others and _is_beside(leaf, newer, 3):
            step = f"servers that get certificates of their own are like that; if this one does not, {step}"
        message = (
            "certificate was renewed, but the old one is still served: "
            f"{target.endpoint.text} serves {_served(leaf.ref, leaf.tbs)}; CT has "
            f"{told(newer.sighting)} for the same names, {origin(newer.sighting)}; {where}; {step}"
        )
        severity = _severity(leaf, newer, at) if others else None
        fault = Fault("ct-superseded", message, leaf.ref, severity)
        yield plain_finding(fault, subject_of(target, record_text), target, leaf.ref)


def _severity(leaf: Leaf, newer: Row, at: datetime) -> Severity | None:
    if _is_beside(leaf, newer, 3):
        return Severity.INFO
    return Severity.ERROR if _ends_soon(leaf.ref, at) and not _is_beside(leaf, newer, 2) else None


def _is_beside(leaf: Leaf, newer: Row, part: int) -> bool:
    """Whether ``newer``, with a key of its own, begins before ``1/part`` of the life of ``leaf`` is over.

    A successor begins late in the life of its predecessor. Servers with an ACME client each begin whenever they do.
    """
    if leaf.ref.not_before is None or leaf.ref.not_after is None or not leaf.key:
        return False
    is_own = newer.issuance.key_sha256 not in (None, leaf.key)
    return is_own and _later(newer, leaf) < (leaf.ref.not_after - leaf.ref.not_before) / part


def _served(leaf: CertificateRef, tbs: str) -> str:
    found = marks(leaf.serial, leaf.sha256, tbs)
    return f'"{visible(leaf.subject, 150)}" ({found}, {validity(leaf.not_before, leaf.not_after)})'


def _ends_soon(leaf: CertificateRef, at: datetime) -> bool:
    """Less than a third of its life is left: by then a renewal has long been due."""
    if leaf.not_before is None or leaf.not_after is None:
        return False
    return leaf.not_after - at < max((leaf.not_after - leaf.not_before) / 3, timedelta())
