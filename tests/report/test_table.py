"""The table and the summary under it."""

import re
from dataclasses import replace

import pytest
from report import factory
from rich.cells import cell_len

from dnscertscan.model.records import ZoneFault, ZoneProblem
from dnscertscan.model.report import CoverageRow, State
from dnscertscan.report.summary import incomplete_reasons, summary
from dnscertscan.report.table import render_table


def test_the_same_problem_is_said_once() -> None:
    """One row per problem, all its endpoints listed below each other, worst first; the count tells how many."""
    expired = factory.reference()
    findings = [factory.finding(certificate=expired, address=f"192.0.2.{number}") for number in range(1, 6)]
    findings.insert(0, factory.finding("old", rule_hit=factory.EXPIRING))
    table = render_table(factory.report(findings)).split("\n\n")[0].splitlines()
    assert table[2].split() == ["error", "DCS101", "5", "192.0.2.1:443", "www.example.com", "certificate", "has", "expired"]
    assert [line.split() for line in table[3:7]] == [[f"192.0.2.{number}:443", "www.example.com"] for number in range(2, 6)]
    assert table[7].split()[:3] == ["warning", "DCS103", "1"]


def test_what_a_row_says_of_its_place() -> None:
    """IPv6 in brackets, the wildcard a name stands for, name or zone alone without an address, the store where it matters."""
    table = render_table(factory.rich_report())
    for words in (
        "[2001:db8::1]:443 www.example.com", "192.0.2.9:443 probe.w.example.net (for *.w.example.net)", " gone.example.com ",
        " broken.example ", "unable to get local issuer certificate (trust store Mozilla)",
    ):
        assert words in table
    at_all_addresses = factory.finding("varies", address="", fqdn="www.example.com", port=8443)
    assert " www.example.com port 8443 " in render_table(factory.report([at_all_addresses]))


@pytest.mark.parametrize("width", [16, 40, 71, 72, 80, 100, 200])
def test_the_table_fits(width: int) -> None:
    """No line of the table is wider than asked, and wrapping loses no word."""
    findings = [
        factory.finding("certificate has expired " + "reason " * 40, certificate=factory.reference()),
        factory.finding("x" * 300, fqdn="a" * 60 + ".example.com", address="2001:db8::ffff:1"),
        factory.finding("\u8b49" * 200 + " e\u0301" * 90, fqdn="b.example.com"),
        factory.finding("\u4f8b" * 50 + "a\u0301" * 50, fqdn="c.example.com"),  # as many of two cells as of none
    ]
    report = factory.report(findings)
    table = render_table(report, width).split("\n\n")[0]
    assert max(map(cell_len, table.splitlines())) <= width
    assert (table.count("\u8b49"), table.count("e\u0301")) == (200, 90)
    assert "".join(table.split()).count("reason") == 40
    assert table.count("x") == 300 + 4 + 1  # four times "example", once "expired"


def test_hostile_text_cannot_break_the_table_at_any_width() -> None:
    """Also wrapped, no escape sequence or line of its own gets through."""
    for width in (1, 70, 120):
        table = render_table(factory.hostile_report(), width)
        assert "\x1b" not in table
        assert not any(line.startswith("ERROR forged") for line in table.splitlines())


def test_colours_only_when_asked() -> None:
    """Colours change no character of the text and are the only escape sequences."""
    plain, coloured = (render_table(factory.rich_report(), 100, colour=colour) for colour in (False, True))
    assert "\x1b" not in plain
    assert coloured.count("\x1b[31m") == 3 + len(incomplete_reasons(factory.rich_report()))
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == plain


def test_the_summary_sentence() -> None:
    """The sentence that scripts match, for the run and for each of several zones."""
    lines = summary(factory.rich_report())
    assert lines[:3] == [
        "9 records -> 9 targets: 3 scanned, 3 unreachable, 3 skipped; 4 errors, 2 warnings",
        "example.com: 7 records -> 7 targets: 2 scanned, 3 unreachable, 2 skipped; 2 errors, 2 warnings",
        "example.net: 2 records -> 2 targets: 1 scanned, 0 unreachable, 1 skipped; 1 errors, 0 warnings",
    ]
    assert render_table(factory.rich_report()).endswith("\n\n" + "\n".join(lines) + "\n")


def test_one_zone_needs_one_line() -> None:
    """No line per zone when there is only one, nothing about completeness when complete."""
    covered = factory.coverage([factory.row(), factory.row(State.FAILED, "refused")])
    assert summary(factory.report([factory.finding()], covered=covered)) == [
        "2 records -> 2 targets: 1 scanned, 1 unreachable, 0 skipped; 1 errors, 0 warnings"
    ]


def test_a_finding_of_two_zones_counts_in_both() -> None:
    """A target that two zones lead to is each zone's problem; the run counts it once."""
    covered = factory.coverage([factory.row(zone="a.test"), factory.row(State.SKIPPED, "duplicate", zone="b.test")])
    lines = summary(factory.report([factory.finding(zone="a.test, b.test")], covered=covered))
    assert [line.rsplit("; ", 1)[1] for line in lines] == ["1 errors, 0 warnings"] * 3


def test_why_a_run_is_incomplete() -> None:
    """Each reason is named; a run that is incomplete for no reason we know still says so; a complete one says nothing."""
    assert summary(factory.rich_report())[3:] == [
        "INCOMPLETE: zone broken.example: REFUSED by 192.0.2.53",
        "INCOMPLETE: 1 record could not be used (reason bad-record in the coverage file)",
        "INCOMPLETE: the run ended before 1 target could be looked at (reason deadline)",
        "INCOMPLETE: the scanner itself failed on 1 target (reason engine)",
    ]
    assert len(incomplete_reasons(factory.report(complete=False))) == 1
    assert incomplete_reasons(replace(factory.rich_report(), complete=True)) == []


def test_the_summary_is_safe_to_print() -> None:
    """Zone names and problems are text from outside too."""
    covered = factory.coverage(
        [factory.row(zone="\x1b[2J"), factory.row(zone="b\n")], [ZoneProblem(ZoneFault.FAILED, "z", "s", "a\x1b[2J\nforged")]
    )
    assert not any(set("\x1b\n") & set(line) for line in summary(factory.report(covered=covered, complete=False)))


def test_no_ipv6_route_has_a_line() -> None:
    """When no IPv6 target could be tried for want of a route there is a line; one that could be tried takes it away."""
    def six(number: int, detail: str, reason: str = "unreachable") -> CoverageRow:
        return factory.row(State.FAILED, reason, address=f"2001:db8::{number}", detail=detail)

    rows = [factory.row(), six(1, "connect: Network is unreachable"), six(2, "connect: Cannot assign requested address")]
    line = "no IPv6 route from here: 2 targets could not be tried"
    assert summary(factory.report(covered=factory.coverage(rows)))[1:] == [line]
    for more in (six(3, "connect: No route to host"), six(3, "connection refused", "refused")):
        assert len(summary(factory.report(covered=factory.coverage([*rows, more])))) == 1
