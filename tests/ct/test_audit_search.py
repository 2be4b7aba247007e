"""What search services and logs have said, in points: each rule once where it hits and once where it must not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pki import ct_forge
from pki.ct_forge import OwnLog
from pki.forge import DAY, NOW

from dnscertscan.ct.audit_points import proof_points
from dnscertscan.ct.audit_report import Point, Proof, Status, worst
from dnscertscan.ct.audit_search import LAG, domain_of, search_points
from dnscertscan.model.ct import Inclusion, InclusionVerdict, Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sighting, Sightings, Verdict
from dnscertscan.pki.ct_audit import audit
from dnscertscan.pki.parse import parse, reference

ONE, TWO = OwnLog("one", "Op A"), OwnLog("two", "Op B")
LEAF = ct_forge.issue([ONE, TWO])
AUDIT = audit([LEAF, ct_forge.issuer_of()], ct_forge.list_of(ONE, TWO), NOW + DAY)
LATER = NOW + 10 * DAY
DOMAIN = DnsName("example.com")


def answer(verdict: Verdict, **fields: Any) -> SearchResult:
    return SearchResult("some", DOMAIN, verdict, **{"as_of": LATER, "complete": True, **fields})


def row(**fields: Any) -> Issuance:
    empty = dict.fromkeys(("cert_sha256", "issuer_spki_sha256", "not_before", "not_after", "key_sha256", "first_seen", "der"))
    texts = {"tbs_sha256": "", "issuer": "", "subject": "", "serial": "", "names": (), "source": "some", "precert": True}
    return Issuance(**{**empty, **texts, **fields})


def said(found: Sightings, at: datetime = LATER) -> list[Point]:
    return list(search_points(LEAF, AUDIT, DOMAIN, found, at))


def only(found: Sightings, at: datetime = LATER) -> tuple[Status, str]:
    (point,) = said(found, at)
    return point.status, point.text


def test_found() -> None:
    """By the TBS hash, with the date and the sources; nothing else is said then, not even of a source without an answer."""
    seen = row(tbs_sha256=AUDIT.tbs_sha256, first_seen=datetime(2026, 1, 2, tzinfo=UTC))
    sightings = Sightings({AUDIT.tbs_sha256: Sighting(seen, ("some", "other"))}, answers=(answer(Verdict.UNAVAILABLE),))
    assert only(sightings) == (Status.OK, "found by some, other, first on 2026-01-02T00:00:00+00:00")


def test_found_nowhere() -> None:
    """Critical when a source vouches for everything until long enough after the SCT; else it is not decided."""
    assert only(Sightings(answers=(answer(Verdict.FOUND),)))[0] is Status.CRITICAL
    assert only(Sightings(answers=(answer(Verdict.ABSENT),)))[1].startswith("found nowhere: not in some, ")
    for fields in ({"complete": False}, {"as_of": NOW + LAG - timedelta(seconds=1)}):
        status, text = only(Sightings(answers=(answer(Verdict.ABSENT, **fields),)))
        assert (status, text.endswith("not decided")) == (Status.WARNING, True)


def test_no_answer() -> None:
    """A warning for each source without one; nothing follows from that, and another domain's answer does not count."""
    silent = answer(Verdict.UNAVAILABLE, reason="502 \x1b[31m", complete=False)
    status, text = only(Sightings(answers=(silent,)))
    assert (status, text) == (Status.WARNING, "whether some has it is not known: it gave no answer (502 \\x1b[31m)")
    elsewhere = SearchResult("some", DnsName("example.net"), Verdict.ABSENT, as_of=LATER, complete=True)
    assert [point.status for point in said(Sightings(answers=(silent, elsewhere)))] == [Status.WARNING]


def test_young_and_expired() -> None:
    """Too young to be found, or so old that services have forgotten it: remarks."""
    sightings = Sightings(answers=(answer(Verdict.ABSENT),))
    assert only(sightings, NOW + LAG - timedelta(seconds=1))[0] is Status.OK
    end = parse(LEAF).not_after
    assert end
    assert only(sightings, end + timedelta(seconds=1))[0] is Status.OK
    assert only(sightings, end - timedelta(seconds=1))[0] is Status.CRITICAL


def test_a_row_with_the_serial_number() -> None:
    """It may be this one: not decided, never nowhere; another serial number says nothing."""
    serial = reference(LEAF, 0).serial
    rows = (row(serial=f"0{serial}"),)
    assert only(Sightings(unidentified=rows, answers=(answer(Verdict.FOUND),)))[0] is Status.WARNING
    rows = (row(serial=f"{serial}AB"),)
    assert only(Sightings(unidentified=rows, answers=(answer(Verdict.FOUND),)))[0] is Status.CRITICAL


def test_the_domain_to_ask_for() -> None:
    """That of the host when the certificate is for it, else of a name it is for; internal names too, none where there is none."""
    names = parse(LEAF).extensions.alt_names
    assert names
    assert names.dns
    own = domain_of(LEAF, names.dns[0])
    assert own
    assert DnsName.parse(names.dns[0]).is_within(own)
    assert domain_of(LEAF, "www.elsewhere.org") == own
    assert domain_of(ct_forge.issuer_of(), "www.elsewhere.org") is None
    (point,) = search_points(LEAF, AUDIT, None, Sightings(), LATER)
    assert point.status is Status.OK


@pytest.mark.parametrize(
    ("verdicts", "statuses"),
    [
        (["included", "included"], [Status.OK, Status.OK]),
        (["pending", "unknown"], [Status.OK, Status.OK]),
        (["included", "unknown"], [Status.OK, Status.OK]),
        (["unknown", "unknown"], [Status.WARNING, Status.WARNING]),
        (["included", "not-included"], [Status.OK, Status.CRITICAL]),
        (["misbehaviour", "unknown"], [Status.CRITICAL, Status.WARNING]),
    ],
)
def test_proofs(verdicts: list[str], statuses: list[Status]) -> None:
    """A broken promise is critical whatever the others say; silence only counts where nobody has proven anything."""
    said = [Inclusion(InclusionVerdict(verdict), "because", b"", b"", evidence="file") for verdict in verdicts]
    points = list(proof_points([Proof(result, one) for result, one in zip(AUDIT.results, said, strict=True)]))
    assert [point.status for point in points] == statuses
    assert all("because" in point.text for point in points)


def test_the_worst_status() -> None:
    """CRITICAL before UNKNOWN before WARNING before OK; the exit statuses are those of Nagios."""
    assert [status.exit_status for status in (Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN)] == [0, 1, 2, 3]
    assert worst(Status) is Status.CRITICAL
    assert worst([Status.WARNING, Status.UNKNOWN, Status.OK]) is Status.UNKNOWN
    assert worst([Status.OK, Status.WARNING]) is Status.WARNING
    assert worst([]) is Status.OK
