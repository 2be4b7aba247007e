"""The coverage file."""

import csv
import io

from report import factory

from dnscertscan.model.report import State
from dnscertscan.report.coverage import COLUMNS, render_coverage


def rows_of(document: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(document.decode(), newline="")))


def test_an_empty_run_still_has_the_header() -> None:
    """The file is there and readable when there was nothing to look at."""
    header = "zone,record,fqdn,ip_address,port,state,reason,detail,wildcard,origin,seconds\r\n"
    assert b"".join(render_coverage(factory.report())).decode() == header
    assert ",".join(COLUMNS) + "\r\n" == header


def test_every_row_is_there_once() -> None:
    """Ledger rows in their order, no more and no less: what could not be read has its row in the ledger already."""
    report = factory.rich_report()
    rows = rows_of(b"".join(render_coverage(report)))
    assert [(row["fqdn"], row["state"], row["reason"]) for row in rows] == [
        (row.fqdn, str(row.state), row.reason) for row in report.coverage.rows
    ]


def test_cells_of_a_row() -> None:
    """Every column holds its field; what is not known is empty."""
    covered = factory.coverage([
        factory.row(State.FAILED, "timeout", detail="=no answer\x1b[0m", wildcard="*.example.com"),
        factory.row(State.SKIPPED, "filtered", address="", port=None),
    ])
    first, second = rows_of(b"".join(render_coverage(factory.report(covered=covered))))
    assert first == {
        "zone": "example.com", "record": "www.example.com. A 192.0.2.1", "fqdn": "www.example.com", "ip_address": "192.0.2.1",
        "port": "443", "state": "failed", "reason": "timeout", "detail": "'=no answer\\x1b[0m", "wildcard": "*.example.com",
        "origin": "zones.json record 1", "seconds": "0.250",
    }
    assert (second["ip_address"], second["port"]) == ("", "")
