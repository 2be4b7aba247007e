"""The cross-check against CT within a run: beside the scan and after it, bounded, stoppable, never the reason of a failure."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.ct_beside import ISSUER, QUICK, ROOT, Whole, asking, caa
from servers.ct_issue import issue
from servers.ct_log import CtLog
from servers.ct_log_der import der
from servers.fake_search import FAILURES, CrtSh

from dnscertscan.ct.clients import Limits
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_values import Source
from dnscertscan.errors import OutputError
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import InclusionVerdict
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Zone
from dnscertscan.model.sightings import Sightings, Verdict
from dnscertscan.model.transparency import CaaAnswer, CaaRecord
from dnscertscan.pipeline import Event, Parts, Stop, run, survey
from dnscertscan.pipeline import transparency as module
from dnscertscan.pipeline.ct_inclusion import Logs
from dnscertscan.pipeline.ct_search import Services
from dnscertscan.pipeline.events import Asking, Note, TargetObserved, TargetSettled
from dnscertscan.pipeline.transparency import CrossCheck, Transparency


@pytest.fixture
def log() -> Iterator[CtLog]:
    with CtLog("beside", [ROOT.certificate]) as running:
        yield running


@pytest.fixture
def crtsh(log: CtLog) -> Iterator[CrtSh]:
    with CrtSh(log) as running:
        yield running


def test_what_is_learnt(tmp_path: Path, log: CtLog, crtsh: CrtSh) -> None:
    """Search beside the scan, proofs and CAA after it, in one statement, which the report has, too."""
    whole = Whole(tmp_path, log, Transparency(asking(crtsh), Logs(tmp_path / "state", QUICK), caa()))
    report = whole.go()
    (facts,) = whole.facts
    assert facts.sightings is not None
    assert list(facts.sightings.issuances) == [whole.issued.tbs_sha256]
    leaf = Certificate(der(whole.issued.certificate)).sha256
    ((result, inclusion),) = facts.inclusions[leaf]
    assert (inclusion.verdict, result.log) == (InclusionVerdict.INCLUDED, log.model)
    wanted = CaaAnswer(DnsName("example.com"), (CaaRecord(critical=False, tag="issue", value="ca.test"),))
    assert facts.caa == {DnsName("www.example.com"): wanted}
    assert facts.published.zones == {DnsName("example.com")}
    assert (facts.unasked, whole.notes) == ((), [])
    assert report.complete
    assert report.ct_facts is facts
    assert report.log_list is not None
    assert {event.what for event in whole.told(Asking)} == {"searching CT", "asking CT logs", "CAA"}
    assert (tmp_path / "state" / "tree-heads.sqlite").exists()
    report.close()


def test_without_questions_nothing_is_asked(tmp_path: Path, log: CtLog, crtsh: CrtSh) -> None:
    """The default: the judge audits, and nobody is asked for anything."""
    whole = Whole(tmp_path, log, None)
    report = whole.go()
    assert (whole.facts, crtsh.asked, log.asked, report.ct_facts) == ([], {}, {}, None)
    assert all(event.settled for event in whole.told(TargetObserved) if isinstance(event, TargetObserved))
    report.close()


@pytest.mark.parametrize("mode", sorted(FAILURES))
def test_a_source_that_fails(tmp_path: Path, log: CtLog, crtsh: CrtSh, mode: str) -> None:
    """Every way of it: the run is complete, the verdict is unknown, and that is said once. Never is anything absent."""
    crtsh.faults[""] = FAILURES[mode]
    whole = Whole(tmp_path, log, Transparency(asking(crtsh, 1.5)))
    begin = time.monotonic()
    report = whole.go()
    assert time.monotonic() - begin < 10
    assert report.complete
    (facts,) = whole.facts
    assert facts.sightings is not None
    assert {answer.verdict for answer in facts.sightings.answers} == {Verdict.UNAVAILABLE}
    assert len([text for text in whole.notes if "crtsh" in text or "crt.sh" in text]) == 1
    assert not any(finding.rule.slug == "ct-not-logged" for finding in report.findings)
    report.close()


def test_the_search_does_not_hold_up_the_scan(tmp_path: Path, log: CtLog, crtsh: CrtSh) -> None:
    """The plan is there and all is observed before a source that hangs is given up."""
    crtsh.faults[""] = FAILURES["hang"]
    whole = Whole(tmp_path, log, Transparency(asking(crtsh, 2.0)))
    seen: list[tuple[str, float]] = []
    begin = time.monotonic()

    def observer(event: Event) -> None:
        seen.append((type(event).__name__, time.monotonic() - begin))

    async def work() -> None:
        (await run(whole.parts, observer, Stop())).close()

    asyncio.run(work())
    assert max(at for name, at in seen if name in ("Planned", "TargetObserved")) < 1.0
    assert 1.5 < max(at for _, at in seen) < 8


def test_a_stop_ends_everything(tmp_path: Path, log: CtLog, crtsh: CrtSh) -> None:
    """A run that is cut short waits for nobody; what was not learnt is said, and nothing is concluded."""
    crtsh.faults[""] = FAILURES["hang"]
    log.faults[""] = FAILURES["hang"]
    whole = Whole(tmp_path, log, Transparency(asking(crtsh, 60.0), Logs(tmp_path / "state", Limits()), caa()))
    begin = time.monotonic()
    report = whole.go(stop_after=1.0)
    assert time.monotonic() - begin < 5
    assert not report.complete
    (facts,) = whole.facts
    assert (facts.sightings, facts.inclusions) == (None, {})
    assert len(facts.unasked) == 3
    assert all("deadline of the test" in line for line in (facts.unasked[0], facts.unasked[2]))
    assert facts.unasked == tuple(text for text in whole.notes if text in facts.unasked)
    report.close()


def test_names_wait_for_the_search(tmp_path: Path, log: CtLog, crtsh: CrtSh) -> None:
    """A name that only CT knows under a wildcard is scanned; without the wish it is not, and a dry run does not even ask."""
    issue(ISSUER, "shop.apps.example.com", logs=[log])
    whole = Whole(tmp_path, log, Transparency(asking(crtsh), names=True))
    whole.go().close()
    assert "shop.apps.example.com" in whole.engine.asked
    plain = Whole(tmp_path, log, Transparency(asking(crtsh)))
    plain.go().close()
    assert "shop.apps.example.com" not in plain.engine.asked
    _, made = asyncio.run(dry(whole.parts))
    assert made is not None
    assert "shop.apps.example.com" in [target.server_name.text for target in made.targets]


async def dry(parts: Parts) -> tuple[object, object]:
    return await survey(parts, lambda _: None, Stop())


def test_names_without_an_answer(tmp_path: Path, log: CtLog, crtsh: CrtSh) -> None:
    """The source fails: the names of the zone are scanned all the same."""
    crtsh.faults[""] = FAILURES["502"]
    whole = Whole(tmp_path, log, Transparency(asking(crtsh, 2.0), names=True))
    report = whole.go()
    assert "www.example.com" in whole.engine.asked
    assert report.complete
    report.close()


def test_a_state_folder_that_cannot_be_written(tmp_path: Path, log: CtLog) -> None:
    """Proofs cannot be kept, so that no log is asked; the scan is complete, and the reason is said once."""
    (tmp_path / "state").write_text("a file")
    whole = Whole(tmp_path, log, Transparency(logs=Logs(tmp_path / "state", QUICK)))
    report = whole.go()
    (facts,) = whole.facts
    assert (facts.inclusions, len(facts.unasked), report.complete) == ({}, 1, True)
    assert str(tmp_path / "state") in facts.unasked[0]
    assert [text for text in whole.notes if text in facts.unasked] == list(facts.unasked)
    report.close()


def test_a_silent_log(tmp_path: Path, log: CtLog) -> None:
    """Unknown, not missing; the run is complete. What is observed is settled at the end only, as proof may change it."""
    log.faults[""] = FAILURES["502"]
    whole = Whole(tmp_path, log, Transparency(logs=Logs(tmp_path / "state", QUICK)))
    report = whole.go()
    (facts,) = whole.facts
    assert {told.verdict for each in facts.inclusions.values() for _, told in each} == {InclusionVerdict.UNKNOWN}
    assert report.complete
    assert len(whole.told(TargetSettled)) == len(whole.told(TargetObserved)) == 2
    assert not any(finding.rule.slug == "ct-not-included" for finding in report.findings)
    report.close()


def test_proofs_of_an_earlier_run_are_not_asked_again(tmp_path: Path, log: CtLog) -> None:
    """Two runs: the second one asks the log for nothing, and knows the same."""
    whole = Whole(tmp_path, log, Transparency(logs=Logs(tmp_path / "state", QUICK)))
    whole.go().close()
    before = dict(log.asked)
    again = Whole(tmp_path, log, Transparency(logs=Logs(tmp_path / "state", QUICK)))
    again.engine._chain = whole.engine._chain
    again.go().close()
    assert log.asked == before
    assert [told.cached for each in again.facts[0].inclusions.values() for _, told in each] == [True]


def test_too_many_names_for_caa(tmp_path: Path, log: CtLog, crtsh: CrtSh, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are named as not looked up, once; names of other domains do not count."""
    monkeypatch.setattr(module, "MAX_CAA", 1)
    issue(ISSUER, "a.example.com", "b.example.com", "elsewhere.example.net", "*.c.example.com", logs=[log])
    whole = Whole(tmp_path, log, Transparency(asking(crtsh), caa=caa()))
    whole.go().close()
    (facts,) = whole.facts
    assert list(facts.caa) == [DnsName("a.example.com")]
    assert facts.unasked == ("CAA records of 3 names that CT has are not looked up: only those of 1 are",)


def test_a_bug_in_the_search_costs_no_scan(tmp_path: Path, log: CtLog) -> None:
    """It is told as what it is, and the scan has its report."""

    def broken(_means: Means) -> tuple[Source, ...]:
        raise KeyError("x\x1b")

    whole = Whole(tmp_path, log, Transparency(Services(broken, 5.0)))
    report = whole.go()
    assert whole.notes == [
        r"what search services know of CT is unknown: KeyError: 'x\x1b' (a bug in dnscertscan; please report it)"
    ]
    assert report.complete
    report.close()


@pytest.mark.parametrize(
    ("zones", "words"),
    [
        ((), "no zone was loaded"),
        ((Zone(DnsName("corp.internal"), 1, (), "test"),), "no search service may be asked for any of them"),
    ],
)
def test_no_domain_to_search_for(log: CtLog, crtsh: CrtSh, zones: tuple[Zone, ...], words: str) -> None:
    """No zone, or only an internal one that no service may be told: that nothing was searched for is said, once."""
    told: list[Event] = []

    async def work() -> tuple[Sightings | None, list[str]]:
        async with CrossCheck(Transparency(asking(crtsh)), log.clock, told.append) as ct:
            ct.begin(zones)
            await ct._sightings(Stop())
            return await ct._sightings(Stop()), ct._unasked

    found, unasked = asyncio.run(work())
    assert unasked == [f"no domain was searched for in CT: {words}"]
    assert [event.text for event in told if isinstance(event, Note) and event.text in unasked] == unasked
    assert [name.text for name, _ in found.left_out] == ["corp.internal"] if found else not zones
    assert crtsh.asked == {}


def test_outcome_of_an_expected_problem() -> None:
    """One line, as it was raised."""

    async def failing() -> None:
        raise OutputError("the folder is full")

    async def work() -> tuple[None, str]:
        return await module._outcome(asyncio.ensure_future(failing()), Stop())

    assert asyncio.run(work()) == (None, "the folder is full")
