"""The result of a large scan without a scan: a journal on disk, findings and coverage rows in scratch space, as a run has them.

Two targets share a certificate, and each certificate is really signed. A quarter of the targets has two findings, a quarter
none (one in five of these refused the connection), the others one; names are long, zones are forty.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from minting import Mint

from dnscertscan.checks.catalog import RULES
from dnscertscan.checks.subjects import sort_key
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.endpoints import Endpoint, Provenance, Target
from dnscertscan.model.findings import Finding, Subject
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Deployment, Failure, FailureKind, Handshake, Observation, StoreVerdict
from dnscertscan.model.records import Origin, Record
from dnscertscan.model.report import Coverage, CoverageRow, Report, Run, State, Tally, ZoneTotals
from dnscertscan.pipeline.ledger import row_order
from dnscertscan.pki.parse import reference
from dnscertscan.report.describe import terminal_state
from dnscertscan.resolve.rows import coverage_row
from dnscertscan.store.header import Header
from dnscertscan.store.journal import Journal
from dnscertscan.store.rows import FindingCodec, pack_row, unpack_row
from dnscertscan.store.shelf import Shelf
from dnscertscan.store.told import Verdicts

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ZONES = [DnsName(f"zone{number:02}.subsidiary-of-the-group.example") for number in range(40)]
STORES = ("Android", "Apple", "Java", "Mozilla", "Windows")
_MINTS = 12


def targets_of(count: int) -> list[Target]:
    """The targets, sorted as a plan has them."""
    return sorted(map(_target, range(count)))


def _target(number: int) -> Target:
    zone = ZONES[number % len(ZONES)]
    name = DnsName(f"customer-portal-{number:08}.{('www', 'api', 'staging')[number % 3]}.{zone.text}")
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    record = Record(name, "A", address, 300, Origin("zones/export-of-all-zones.json"), number // len(ZONES) + 1)
    return Target(Endpoint(address, 443), name, (Provenance(record, zone),))


def _number(target: Target) -> int:
    return int(target.server_name.text[16:24])


def write_journal(place: Path, count: int) -> None:
    """Put down what ``count`` targets served."""
    mints = [Mint(f"Bench {number}", NOW - timedelta(days=9 * number)) for number in range(_MINTS)]

    @lru_cache(maxsize=8)
    def chain(which: int) -> tuple[Certificate, ...]:
        mint = mints[which % _MINTS]
        return Certificate(mint.leaf(which)), Certificate(mint.sent)

    verdicts = tuple(StoreVerdict(store, trusted=False, reason="unable to get local issuer certificate") for store in STORES)
    with closing(Journal.create(place, Header("", NOW))) as journal:
        for number in range(count):
            served = Deployment(chain(number // 2), ("TLS 1.2 not RSA", "TLS 1.3"), verdicts=verdicts)
            outcome = Handshake((served,), "TLS 1.3", "TLS_AES_128_GCM_SHA256")
            refused = number % 20 == 1
            seen = Failure(FailureKind.REFUSED, "connection refused") if refused else outcome
            journal.add(Observation(_target(number), seen, "probe", NOW, 0.012))


def open_report(place: Path, count: int) -> Report:
    """The report of the journal at ``place``; it reads from the journal and from temporary files until it is closed."""
    journal = Journal.open(place)
    codec, tally, verdicts = FindingCodec(), Tally(), Verdicts()
    findings: Shelf[Finding] = Shelf(codec.pack, codec.unpack, sort_key)
    rows: Shelf[CoverageRow] = Shelf(pack_row, unpack_row, row_order)
    by_zone: dict[str, Counter[tuple[State, str]]] = {zone.text: Counter() for zone in ZONES}
    observed = journal.observed(targets_of(count))
    for observation in observed:
        made = list(_findings(observation))
        findings.add(made)
        for finding in made:
            tally.count(finding)
        verdicts.put(observation, dict.fromkeys(STORES, not made))
        provenance = observation.target.provenance[0]
        state, reason, detail = terminal_state(observation.outcome)
        by_zone[provenance.zone.text][state, reason] += 1
        rows.add([coverage_row(observation.target, provenance, state, reason, detail, observation.seconds)])
    len(findings), len(rows)  # a shelf sorts itself when it is first read
    totals = tuple(ZoneTotals(zone, counts.total(), 2, dict(counts)) for zone, counts in sorted(by_zone.items()))

    def free() -> None:
        for part in (findings, rows, verdicts, journal):
            part.close()

    run = Run("0.1.0", NOW, NOW + timedelta(seconds=117), "probe", "c" * 64, ("--from-zones-json", "zones.json"))
    return Report(
        run, Coverage(rows, totals), observed, findings, complete=True, valid=verdicts, counted=tally,
        served=observed.certificates, free=free,
    )


def _findings(observation: Observation) -> Iterator[Finding]:
    """Worded as the rules word them."""
    if not isinstance(observation.outcome, Handshake):
        return
    target, (leaf, issuing) = observation.target, observation.outcome.deployments[0].chain
    number, shown = _number(target), reference(leaf, 0)
    at = target.provenance[0]
    name = f'certificate 0 "{shown.subject}" (serial {shown.serial})'
    base = Finding(
        RULES["cert-expired"], RULES["cert-expired"].severity,
        Subject(at.zone.text, target.server_name.text, target.endpoint.address, target.endpoint.port,
                f"{at.record.name.display}. A {at.record.data}"),
        f"certificate has expired: {name} expired at {shown.not_after}; renew it and reload the server", shown, leaf=shown,
    )
    wanted = {0: ["cert-expired", "issuer-not-found"], 2: ["hostname-mismatch"], 3: ["cert-expiring"], 7: ["chain-includes-root"]}
    for slug in wanted.get(number % 8, wanted.get(number % 4, [])):
        made = replace(base, rule=RULES[slug], severity=RULES[slug].severity)
        match slug:
            case "issuer-not-found":
                words = f'unable to get local issuer certificate: nobody sent the issuer "{shown.issuer}" of {name}'
                made = replace(made, message=words, store="Mozilla")
            case "hostname-mismatch":
                words = f'subject does not match hostname: "{target.server_name.text}" was asked for, {name} is for another'
                made = replace(made, message=words)
            case "cert-expiring":
                made = replace(made, message=f'certificate "{shown.subject}" expiring at {shown.not_after}')
            case "chain-includes-root":
                words = f'certificate sent needlessly: certificate 1 "{shown.issuer}" is in the stores of clients'
                made = replace(made, message=words, certificate=reference(issuing, 1))
        yield made
