"""SARIF: valid by the published schema, every finding placed at the record it comes from, known again from run to run."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from report import factory
from servers import published

from dnscertscan.model.findings import Severity
from dnscertscan.model.records import ZoneFault, ZoneProblem
from dnscertscan.model.report import Report, State
from dnscertscan.report import sarif
from dnscertscan.report.joined import Source
from dnscertscan.report.sarif import SCHEMA, render_sarif, source_uri


def run_of(report: Report) -> dict[str, Any]:
    (run,) = json.loads(b"".join(render_sarif(report)))["runs"]
    held: dict[str, Any] = run
    return held


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The published schema."""
    found = published.validator(SCHEMA, tmp_path_factory.mktemp("schemas"))
    assert found.schema["$id"].endswith("/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json")
    assert len(found.schema["definitions"]) > 50
    return found


@pytest.mark.parametrize("make", [factory.report, factory.rich_report, factory.hostile_report])
def test_the_document_is_valid(make, validator) -> None:
    """Empty, with everything in it, or hostile: no error by the SARIF 2.1.0 schema."""
    document = json.loads(b"".join(render_sarif(make())))
    assert [error.message for error in validator.iter_errors(document)] == []
    broken = deepcopy(document)
    del broken["runs"][0]["tool"]["driver"]["name"]
    assert not validator.is_valid(broken)


def test_every_result_has_a_rule_with_help() -> None:
    """The rules are those that were hit; each explains itself in text and in Markdown."""
    report = factory.rich_report()
    run = run_of(report)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({finding.rule.code for finding in report.findings})
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["help"]["text"] == "Why it matters\nwhy\n\nHow to fix it\nfix"
        assert rule["help"]["markdown"] == "**Why it matters.** why\n\n**How to fix it.** fix"
    levels = {"error": Severity.ERROR, "warning": Severity.WARNING, "note": Severity.INFO}
    assert sorted(levels[result["level"]] for result in run["results"]) == sorted(one.severity for one in report.findings)


def test_results_are_known_again() -> None:
    """The fingerprint is the finding's own: it does not change with message, place in the file or time."""
    report = factory.rich_report()
    before = {result["partialFingerprints"]["dnscertscanFingerprint/v1"] for result in run_of(report)["results"]}
    assert before == {finding.fingerprint for finding in report.findings}
    moved = [replace(row, origin="other.json record 99") for row in report.coverage.rows]
    said = [replace(finding, message="in other words") for finding in report.findings]
    later = replace(report, findings=tuple(said), coverage=replace(report.coverage, rows=tuple(moved)))
    marks = [result["partialFingerprints"] for result in run_of(later)["results"]]
    assert {mark["dnscertscanFingerprint/v1"] for mark in marks} == before
    assert all(mark["primaryLocationLineHash"] == mark["dnscertscanFingerprint/v1"] for mark in marks)


def placed(report: Report) -> dict[str, tuple[str, str]]:
    """Message -> (URI, logical name)."""
    return {
        result["message"]["text"].partition(" (")[0]: (
            place.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", ""),
            place["logicalLocations"][0]["fullyQualifiedName"],
        )
        for result in run_of(report)["results"]
        for place in result["locations"]
    }


def test_the_place_is_the_record() -> None:
    """The very record of the endpoint; of several the one that was looked at; of a bad record itself; of a zone its file."""
    rows = [
        replace(factory.row(State.SKIPPED, "duplicate"), origin="zones.json record 3"),
        replace(factory.row(), origin="zones.json record 4"),
        replace(factory.row(address="192.0.2.9"), origin="zones.json record 5 (the name was seen in CT)"),
        replace(factory.row(fqdn="a.moved.example", zone="moved.example"), origin="dns://192.0.2.53:53/moved.example"),
        replace(factory.row(State.FAILED, "bad-record", fqdn="", address="", port=None), record="record 7", origin="zones.json"),
    ]
    problem = ZoneProblem(ZoneFault.BAD_RECORD, "example.com", "zones.json", "record 7 is bad", "record 7")
    bad = factory.rule("DCS508", "bad-record")
    nowhere = {"address": "", "port": None, "record": ""}
    findings = [
        factory.finding("the one"), factory.finding("the other", address="192.0.2.9"), factory.finding("varies", **nowhere),
        factory.finding("of a transfer", fqdn="a.moved.example", zone="moved.example"),
        factory.finding("bad", rule_hit=bad, fqdn="example.com", **nowhere | {"record": "record 7"}),
        factory.finding("a name that is not there", fqdn="ct.example.com", **nowhere),
        factory.finding("a zone that is not there", fqdn="else.example", zone="else.example", **nowhere),
    ]
    assert placed(factory.report(findings, [], factory.coverage(rows, [problem]))) == {
        "the one": ("zones.json", "/example.com/3"),
        "the other": ("zones.json", "/example.com/4"),
        "varies": ("zones.json", "/example.com/3"),
        "of a transfer": ("dns://192.0.2.53:53/moved.example", "a.moved.example"),
        "bad": ("zones.json", "/example.com/6"),
        "a name that is not there": ("zones.json", "ct.example.com"),
        "a zone that is not there": ("", "else.example"),
    }


@pytest.mark.parametrize(("place", "uri"), [
    ("zones.json", "zones.json"), ("a b/ü#?.json", "a%20b/%C3%BC%23%3F.json"), ("../c:d.json", "../c%3Ad.json"),
    ("/srv/zones.json", "file:///srv/zones.json"), ("dns://[2001:db8::53]:53/example.com", "dns://[2001:db8::53]:53/example.com"),
    ("half\ud800.json", "half%3F.json"), ("dns://ns.example:53/a b", "dns://ns.example:53/a%20b"),
])
def test_places_are_uris(place: str, uri: str) -> None:
    """RFC 3986, whatever the file is called; relative stays relative, so that a service finds it in its checkout."""
    assert source_uri(Source(place)) == uri


def test_messages_are_literal() -> None:
    """Nothing in a message is a placeholder or a link, as section 3.11 would have it."""
    (result,) = run_of(factory.report([factory.finding("{0} and [click](https://evil.example) {")]))["results"]
    text = result["message"]["text"]
    assert text.startswith(r"{{0}} and \[click\](https://evil.example) {{ (")
    (result,) = run_of(factory.report([factory.finding(r"[click\](https://evil.example)")]))["results"]
    assert result["message"]["text"].startswith(r"\[click\\\](https://evil.example)")  # a backslash of theirs undoes none of ours
    (result,) = run_of(factory.report([factory.finding(r"a\b", address="2001:db8::1")]))["results"]
    assert result["message"]["text"] == r"a\b ([2001:db8::1]:443 www.example.com)"


def test_more_results_than_a_service_takes(validator, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub takes 25,000 in a run: what is more stands in further runs, each a category; none is lost, each run is whole."""
    monkeypatch.setattr(sarif, "MAX_RESULTS", 3)
    found = [factory.finding(f"fault {number}", fqdn=f"n{number}.example.com") for number in range(7)]
    for count, sizes in ((0, [0]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])):
        written = json.loads(b"".join(render_sarif(factory.report(found[:count]))))
        assert [error.message for error in validator.iter_errors(written)] == []
        assert [len(run["results"]) for run in written["runs"]] == sizes
        ids = [run.get("automationDetails", {}).get("id") for run in written["runs"]]
        assert ids == ([None] if len(sizes) == 1 else [f"dnscertscan-{number}/" for number in range(1, len(sizes) + 1)])
        results = (result for run in written["runs"] for result in run["results"])
        assert len({result["partialFingerprints"]["primaryLocationLineHash"] for result in results}) == count


def test_an_incomplete_run_says_so() -> None:
    """The invocation failed, with each reason; times are UTC with a Z."""
    (told,) = run_of(factory.rich_report())["invocations"]
    assert told["executionSuccessful"] is False
    assert (told["startTimeUtc"], told["endTimeUtc"]) == ("2026-11-20T12:00:00.000Z", "2026-11-20T12:00:42.000Z")
    reasons = [note["message"]["text"] for note in told["toolExecutionNotifications"]]
    assert any("broken.example" in reason for reason in reasons)
    (clean,) = run_of(factory.report())["invocations"]
    assert (clean["executionSuccessful"], clean["toolExecutionNotifications"]) == (True, [])
