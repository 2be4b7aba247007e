"""What the exporter calls healthy: only results that are there, fresh, and of the last scan."""

import gzip

import pytest
from report.exposed import assert_accepted, exposed

from dnscertscan.exporter import Moment, State
from dnscertscan.exporter.state import Page


def at(seconds: float) -> Moment:
    """The wall clock is set back by a day all the time: nothing that is measured may notice."""
    return Moment(1_800_000_000 - 86_400 * (int(seconds) % 2), seconds)


@pytest.fixture
def state() -> State:
    return State("1.2.3", 100.0, at(0))


def own(state: State, now: float) -> dict[str, float]:
    return {name: value for name, samples in exposed(state.own_metrics(at(now))).items() for value in samples.values()}


def test_before_the_first_scan_nothing_is_healthy(state: State) -> None:
    """An exporter that was just started knows nothing, and says so."""
    state.start()
    assert state.health(at(1)) == (False, "the first scan has not ended yet")
    found = own(state, 1)
    assert (found["dnscertscan_exporter_healthy"], found["dnscertscan_exporter_scan_running"]) == (0, 1)
    assert "dnscertscan_exporter_results_timestamp_seconds" not in found
    assert "dnscertscan_exporter_last_scan_success" not in found


def test_two_intervals_are_the_limit(state: State) -> None:
    """Healthy until the results are two intervals old, and not a moment longer, whatever the wall clock says."""
    state.succeed(Page.of(b"x"), at(10))
    assert state.health(at(11)) == (True, "the last scan ended 1 s ago")
    assert state.health(at(210))[0]
    good, why = state.health(at(211))
    assert (good, why) == (False, "the last scan ended 3.35 min ago, which is more than 2 intervals of 100 s")


def test_a_failed_scan_keeps_the_results_and_is_told(state: State) -> None:
    """What was known stays; that it is old, and why, is in health and metrics; the next good scan mends it."""
    state.succeed(Page.of(b"old"), at(10))
    state.fail("no zone could be read", at(50))
    assert state.page.plain == b"old"
    assert state.health(at(60)) == (False, "the last scan failed (the results are 50 s old): no zone could be read")
    found = own(state, 60)
    assert (found["dnscertscan_exporter_last_scan_success"], found["dnscertscan_exporter_healthy"]) == (0, 0)
    assert found["dnscertscan_exporter_results_timestamp_seconds"] == at(10).wall
    assert found["dnscertscan_exporter_last_scan_timestamp_seconds"] == at(50).wall
    state.succeed(Page.of(b"new"), at(70))
    assert (state.health(at(71))[0], state.page.plain) == (True, b"new")


def test_a_first_scan_that_fails(state: State) -> None:
    """There is nothing to keep, and that is said."""
    state.fail("broken", at(5))
    assert state.health(at(6)) == (False, "the last scan failed (there are no results): broken")


def test_an_incomplete_scan_is_served_and_not_healthy(state: State) -> None:
    """Its results are new, but lack something: what stands in the line, and scans are counted by how they ended."""
    state.succeed(Page.of(b"x"), at(10), "zone a.test: REFUSED")
    assert state.page.plain == b"x"
    assert state.health(at(12)) == (False, "the last scan ended 2 s ago and is not complete: zone a.test: REFUSED")
    found = own(state, 12)
    assert (found["dnscertscan_exporter_healthy"], found["dnscertscan_exporter_last_scan_success"]) == (0, 1)
    state.fail("broken", at(20))
    scans = exposed(state.own_metrics(at(21)))["dnscertscan_exporter_scans_total"]
    assert {dict(labels)["outcome"]: value for labels, value in scans.items()} == {"complete": 0, "incomplete": 1, "failed": 1}


def test_outputs_that_failed_are_told(state: State) -> None:
    """Until those of a later scan are written; one that goes on, or fails, changes nothing about them."""
    assert "dnscertscan_exporter_outputs_failed" not in own(state, 1)
    state.succeed(Page.of(b"x"), at(10))
    assert state.health(at(11))[0]
    state.delivered(["cannot write r.csv: full", "cannot send"])
    line = "the last scan ended 2 s ago and an output could not be written: cannot write r.csv: full (and 1 more)"
    assert state.health(at(12)) == (False, line)
    found = own(state, 12)
    assert (found["dnscertscan_exporter_healthy"], found["dnscertscan_exporter_outputs_failed"]) == (0, 2)
    state.succeed(Page.of(b"y"), at(20), "zone a.test")
    line = "the last scan ended 1 s ago and is not complete: zone a.test and an output could not be written: cannot"
    assert state.health(at(21))[1].startswith(line)
    state.succeed(Page.of(b"y"), at(30))
    assert not state.health(at(31))[0]
    state.delivered(())
    assert state.health(at(32))[0]
    assert own(state, 32)["dnscertscan_exporter_outputs_failed"] == 0


def test_promtool_accepts_the_own_metrics(state: State) -> None:
    """Before, during and after scans."""
    assert_accepted(state.own_metrics(at(1)))
    state.succeed(Page.of(b""), at(2))
    assert_accepted(state.own_metrics(at(3)))
    state.delivered(["x"])
    assert_accepted(state.own_metrics(at(3)))


def test_pages_are_compressed_the_same_way_each_time() -> None:
    """The same text gives the same octets: no time goes into them."""
    page = Page.of(b"text" * 1000)
    assert page == Page.of(b"text" * 1000)
    for end in (b"", b"end", b"text" * 20_000):
        assert gzip.decompress(b"".join(page.packed_with(end))) == page.plain + end
