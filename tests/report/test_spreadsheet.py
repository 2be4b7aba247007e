"""The CSV in a real spreadsheet program."""

from pathlib import Path

from report import factory
from servers.spreadsheet import converted, sheet_rows

from dnscertscan.report import FORMATS
from dnscertscan.report.csv_rows import COLUMNS
from dnscertscan.report.files import write_atomically


def test_libreoffice_opens_the_csv(tmp_path: Path) -> None:
    """The columns are the promised ones, every row has its cells, and no text from outside has become a formula."""
    findings = [*factory.rich_report().findings, *factory.hostile_report().findings]
    source = tmp_path / "report.csv"
    write_atomically(source, FORMATS["csv"].render(factory.report(findings)))
    header, *rows = sheet_rows(converted(source, tmp_path / "profile"))
    letters = dict(zip(COLUMNS, header, strict=True))
    assert list(header.values()) == list(COLUMNS)
    assert len(rows) == len(findings) - 1  # one is information
    first = {column: rows[0][letter] for column, letter in letters.items() if letter in rows[0]}
    assert (first["ip_address"], first["port"], first["fqdn"]) == ("192.0.2.1", "443", "www.example.com")
    assert (first["status"], first["message"], first["days_left"]) == ("error", "certificate has expired", "-4")
    messages = [row.get(letters["message"], "") for row in rows]
    assert sum("HYPERLINK" in message for message in messages) == 1
