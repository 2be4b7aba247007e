"""JUnit XML, read back by a library for it."""

from collections import Counter
from dataclasses import replace

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase
from report import factory, readers

from dnscertscan.model.findings import Severity
from dnscertscan.model.report import Report, State
from dnscertscan.model.text import visible
from dnscertscan.report.junit import render_junit


def document(report: Report) -> bytes:
    return b"".join(render_junit(report))


def outcome(case: TestCase) -> str:
    kinds = {type(result) for result in case.result}
    assert len(kinds) < 2
    return kinds.pop().__name__.lower() if kinds else "passed"


def test_a_suite_for_each_zone_and_a_case_for_each_row() -> None:
    """Every line of the coverage ledger is a case of its zone, every fault is one; what no line is about has its own, too."""
    report = factory.rich_report()
    suites = {suite.name: [(case.name, outcome(case)) for case in suite] for suite in readers.suites(document(report))}
    assert suites == {
        "broken.example": [("broken.example: DCS507 zone-failed", "failure")],
        "example.com": [
            ("gone.example.com: DCS501 dangling-target", "failure"),
            ("192.0.2.6:443 late.example.com", "skipped"), ("192.0.2.4:443 odd.example.com", "error"),
            ("192.0.2.3:443 old.example.com", "skipped"), ("192.0.2.5:443 private.example.com", "skipped"),
            ("192.0.2.1:443 www.example.com: DCS101 cert-expired", "failure"),
            ("192.0.2.1:443 www.example.com: DCS103 cert-expiring", "failure"),
            ("[2001:db8::1]:443 www.example.com: DCS101 cert-expired", "failure"),
        ],
        "example.net": [
            ("192.0.2.9:443 probe.w.example.net (for *.w.example.net): DCS101 cert-expired", "failure"),
            ("192.0.2.1:443 www.example.com", "skipped"),
        ],
    }


def test_counts_reconcile() -> None:
    """The counts of a suite are those of its cases, and the sums those of the whole; failures are the errors and warnings."""
    for report in (factory.report(), factory.rich_report(), factory.hostile_report()):
        read = JUnitXml.fromstring(document(report))
        whole: Counter[str] = Counter()
        for suite in read:
            counted = Counter(outcome(case) for case in suite)
            assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
                counted.total(), counted["failure"], counted["error"], counted["skipped"]
            )
            whole += counted
        assert (read.tests or 0, read.failures or 0, read.errors or 0, read.skipped or 0) == (
            whole.total(), whole["failure"], whole["error"], whole["skipped"]
        )
        failures = [one for case in readers.cases(document(report)) for one in case.result if isinstance(one, Failure)]
        assert len(failures) == sum(1 for finding in report.findings if finding.severity >= Severity.WARNING)
        assert sum(suite.tests for suite in read) >= len(report.coverage.rows)


def test_a_failure_says_what_and_how_to_go_on() -> None:
    """The message is the finding's; the text has record, certificate and the next step. Information fails nothing."""
    found = factory.finding(certificate=factory.reference())
    note = factory.finding("chain includes the trust anchor", rule_hit=factory.ROOT_SENT)
    (case,) = readers.cases(document(factory.report([found, note], [], factory.coverage([factory.row()]))))
    (failure,) = case.result
    assert (failure.type, failure.message) == ("DCS101 cert-expired", "certificate has expired")
    assert failure.text.splitlines() == [
        "error DCS101 cert-expired: certificate has expired", "record: www.example.com. A 192.0.2.1",
        f"certificate: CN=www.example.com (serial 0A1B, sha256 {'ab' * 32})", "fix: fix", "more: dnscertscan explain DCS101",
    ]
    assert case.system_out == "info DCS207 chain-includes-root: chain includes the trust anchor"
    assert (case.classname, case.time) == ("example.com", 0.25)
    (passing,) = readers.cases(document(factory.report([note], [], factory.coverage([factory.row()]))))
    assert list(passing.result) == []


def test_silence_is_not_health() -> None:
    """A target without certificate is skipped with the reason, one on which the scanner failed an error; neither passes."""
    rows = [
        factory.row(State.FAILED, "refused", fqdn="a.example", detail="connection refused"),
        factory.row(State.FAILED, "engine", fqdn="b.example", detail="worker died"),
        factory.row(State.SKIPPED, "deadline", fqdn="c.example"),
    ]
    results = [case.result[0] for case in readers.cases(document(factory.report([], [], factory.coverage(rows))))]
    assert [type(result) for result in results] == [Skipped, Error, Skipped]
    assert [result.message for result in results] == ["refused: connection refused", "engine: worker died", "deadline"]


def test_cases_of_one_target_are_told_apart() -> None:
    """Two records that lead to one target are two cases with two names; the finding is told once, where it was scanned."""
    rows = [
        replace(factory.row(State.SKIPPED, "duplicate"), record="www.example.com. CNAME x.example."),
        factory.row(), replace(factory.row(State.SKIPPED, "duplicate"), record="www.example.com. CNAME y.example."),
    ]
    found = readers.cases(document(factory.report([factory.finding()], [], factory.coverage(rows))))
    assert len({(case.classname, case.name) for case in found}) == 3
    assert [outcome(case) for case in found] == ["skipped", "failure", "skipped"]


def test_each_failure_is_a_case() -> None:
    """Readers that show one failure of a case show them all; names differ, and the target's time is counted once."""
    soon = factory.finding("soon", rule_hit=factory.EXPIRING)
    findings = [factory.finding("no chain"), factory.finding("no chain either"), soon]
    note = factory.finding("chain includes the trust anchor", rule_hit=factory.ROOT_SENT)
    covered = factory.coverage([factory.row()])
    found = readers.cases(document(factory.report([note, *findings], [], covered)))
    place = "192.0.2.1:443 www.example.com"
    assert [(case.name, case.time, len(case.result)) for case in found] == [
        (f"{place}: DCS101 cert-expired", 0.25, 1), (f"{place}: DCS101 cert-expired (2)", 0.0, 1),
        (f"{place}: DCS103 cert-expiring", 0.0, 1),
    ]
    assert [bool(case.system_out) for case in found] == [True, False, False]


def test_no_two_cases_have_one_name() -> None:
    """The same record three times, and names that differ where they are cut: readers know a case by its name."""
    rows = [factory.row(), *(factory.row(State.SKIPPED, "duplicate") for _ in range(3))]
    rows += [factory.row(fqdn="x" * 600 + end) for end in ("a", "b")]
    findings = [factory.finding(fqdn="x" * 600 + end) for end in ("a", "b")]
    found = readers.cases(document(factory.report(findings, [], factory.coverage(rows))))
    assert len({case.name for case in found}) == len(found) == 6
    assert [case.name[-4:] for case in found][2:4] == [" (2)", " (3)"]


def test_a_note_on_a_name_makes_no_case() -> None:
    """Information about a name that has no address stands in the case of its row, which stays skipped: nothing passes for it."""
    row = factory.row(State.SKIPPED, "unscannable-name", fqdn="dash-.example.com", address="", port=None)
    note = factory.finding("cannot be asked for", rule_hit=factory.ROOT_SENT, fqdn="dash-.example.com", address="10.0.0.1")
    (case,) = readers.cases(document(factory.report([note], [], factory.coverage([row]))))
    assert outcome(case) == "skipped"
    assert case.system_out.endswith(": cannot be asked for")


def test_only_the_first_paragraph_of_the_advice() -> None:
    """What explain says at length is not repeated in each of many failures."""
    advised = replace(factory.rule(), fix="renew it\n    certbot renew\nand look")
    (case,) = readers.cases(document(factory.report([factory.finding(rule_hit=advised)])))
    assert "fix: renew it\nmore: dnscertscan explain DCS101" in case.result[0].text


def test_hostile_text_comes_back() -> None:
    """Any text is read back as it was shown; it ends no attribute and no element."""
    report = factory.hostile_report()
    messages = {one.message for case in readers.cases(document(report)) for one in case.result if isinstance(one, Failure)}
    said = {message.partition(" (trust store ")[0] for message in messages}
    assert said == {visible(text) for text in factory.HOSTILE.values()}
