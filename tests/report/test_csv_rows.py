"""The CSV report's columns."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report import factory

from dnscertscan.model.findings import Finding
from dnscertscan.model.text import visible
from dnscertscan.report.cells import cell, csv_document
from dnscertscan.report.csv_rows import COLUMNS, finding_row, render_csv

CONTRACT = (
    "ip_address,port,fqdn,status,message,code,zone,subject,issuer,not_after,days_left,sha256,serial,ct,source,fingerprint,first_seen"
)


def one(finding: Finding) -> dict[str, str]:
    return dict(zip(COLUMNS, map(cell, finding_row(finding, factory.NOW)), strict=True))


def test_the_header_is_the_promised_one() -> None:
    """The columns and their order outlive any design inside."""
    assert b"".join(render_csv(factory.report())).decode() == CONTRACT + "\r\n"


def test_a_row_of_a_certificate_at_fault() -> None:
    """Each column holds what its name says; times are UTC with offset; days are whole."""
    found = factory.finding(certificate=factory.reference(days=10.9), leaf=factory.reference("CN=other"))
    assert one(found) == {
        "ip_address": "192.0.2.1", "port": "443", "fqdn": "www.example.com", "status": "error",
        "message": "certificate has expired", "code": "DCS101", "zone": "example.com",
        "subject": "CN=www.example.com", "issuer": "CN=Issuing CA,O=Example Trust",
        "not_after": "2026-12-01T09:36:00+00:00", "days_left": "10", "sha256": "ab" * 32, "serial": "0A1B", "ct": "not-checked",
        "source": "www.example.com. A 192.0.2.1", "fingerprint": found.fingerprint, "first_seen": "",
    }


def test_the_leaf_stands_in_where_no_certificate_is_at_fault() -> None:
    """A row about the endpoint still says what it serves; one about a zone has no certificate, address or port."""
    assert one(factory.finding(leaf=factory.reference("CN=leaf")))["subject"] == "CN=leaf"
    about_zone = one(factory.finding(rule_hit=factory.ZONE_FAILED, address="", port=None, fqdn=""))
    empty = ("ip_address", "port", "fqdn", "subject", "issuer", "not_after", "days_left", "sha256", "serial")
    assert {about_zone[column] for column in empty} == {""}
    assert about_zone["ct"] == "not-checked"


@pytest.mark.parametrize("said", ["logged", "not-logged", "unknown", "private"])
def test_the_ct_column_says_what_was_found(said: str) -> None:
    """The word of the audit, and nothing else changes: identity and other columns are those of a run without it."""
    found = factory.finding(certificate=factory.reference())
    assert one(replace(found, ct=said)) == one(found) | {"ct": said}
    assert one(found)["ct"] == "not-checked"


@pytest.mark.parametrize(("days", "shown"), [(0.99, "0"), (1, "1"), (-0.01, "-1"), (-1, "-1"), (-400.5, "-401"), (29.999, "29")])
def test_days_left_are_rounded_down_and_stay_numbers(days: float, shown: str) -> None:
    """An expired certificate never shows 0 days, and a negative number is a number, not a neutralised formula."""
    assert one(factory.finding(certificate=factory.reference(days=days)))["days_left"] == shown


def test_a_certificate_without_readable_dates_has_empty_cells() -> None:
    """Nothing is made up when the end of validity cannot be read."""
    unreadable = replace(factory.reference(), not_before=None, not_after=None)
    shown = one(factory.finding(certificate=unreadable, leaf=factory.reference()))
    assert (shown["not_after"], shown["days_left"], shown["subject"]) == ("", "", "CN=www.example.com")


def test_days_are_counted_from_the_start_of_the_run() -> None:
    """How long a scan takes changes no row."""
    quick = factory.rich_report()
    slow = replace(quick, run=replace(quick.run, finished=quick.run.finished + timedelta(days=3)))
    assert b"".join(render_csv(quick)) == b"".join(render_csv(slow))


def test_information_stays_out() -> None:
    """Only errors and warnings are rows; status is one of the two words."""
    rows = list(csv.DictReader(io.StringIO(b"".join(render_csv(factory.rich_report())).decode())))
    assert [row["status"] for row in rows] == ["error", "warning", "error", "warning", "error", "error"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_begin_like_a_formula_get_an_apostrophe(start: str) -> None:
    """The characters the contract lists, and only at the beginning."""
    assert cell(f"{start}1+1").startswith("'")
    assert cell(f"a{start}1+1").startswith("a")


@given(st.lists(st.lists(st.text(st.characters(codec=None)), min_size=2, max_size=4), max_size=5))
def test_any_text_comes_back_from_the_csv_module(rows: list[list[str]]) -> None:
    """Whatever the text, the document is UTF-8, has its number of rows, and each cell is the visible text."""
    document = b"".join(csv_document(["a", "b"], rows)).decode("utf-8")
    read_back = list(csv.reader(io.StringIO(document, newline=""), strict=True))
    assert read_back == [["a", "b"], *([cell(text) for text in row] for row in rows)]
    assert document.count("\r\n") == document.count("\n") == document.count("\r") == len(rows) + 1


@given(st.text(st.characters(codec=None), max_size=50))
def test_a_cell_is_safe_and_says_the_same(text: str) -> None:
    """No cell starts a formula or holds anything a terminal acts on; taking the apostrophe away gives the visible text."""
    shown = cell(text)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert shown in (visible(text), f"'{visible(text)}")
