"""Log lines and the two shapes of a log."""

import io
import json
import logging
import re
import sys
from collections.abc import Iterator

import pytest
from report import factory, readers

from dnscertscan.model.findings import Finding
from dnscertscan.report.log import JsonFormatter, TextFormatter, finding_extra, finding_line


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    one = logging.Logger("dnscertscan.test")
    yield one
    one.handlers.clear()


def logged(logger: logging.Logger, formatter: logging.Formatter, *findings: Finding) -> list[str]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    for finding in findings:
        logger.warning("%s", finding_line(finding), extra=finding_extra(finding))
    return stream.getvalue().split("\n")[:-1]


@pytest.mark.parametrize(("finding", "line"), [
    (factory.finding(), "192.0.2.1:443 - www.example.com - certificate has expired"),
    (factory.finding(address="2001:db8::1"), "[2001:db8::1]:443 - www.example.com - certificate has expired"),
    (factory.finding("gone", address="", port=None), "- - www.example.com - gone"),
    (factory.finding("failed", address="", port=None, fqdn=""), "- - example.com - failed"),
    (factory.finding("failed", address="", port=None, fqdn="", zone=""), "- - - - failed"),
    (factory.finding("a\nforged\x1b[2J", fqdn="\u202ex"), "192.0.2.1:443 - \\u202ex - a\\x0aforged\\x1b[2J"),
])
def test_the_line_has_three_fields(finding: Finding, line: str) -> None:
    """Address, name and message, whatever the finding is about and whatever it holds."""
    assert finding_line(finding) == line
    assert len(line.split(" - ", 2)) == 3


def test_json_lines_carry_the_fields(logger: logging.Logger) -> None:
    """Each line is one object with the time in UTC, the level, and the finding's fields where they apply."""
    first, second = map(json.loads, logged(
        logger, JsonFormatter(), factory.finding("a\u2028\ud800b"), factory.finding("gone", address="", port=None),
    ))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", first.pop("ts"))
    assert first == {
        "level": "warning", "logger": "dnscertscan.test", "message": "192.0.2.1:443 - www.example.com - a\\u2028\\ud800b",
        "code": "DCS101", "ip_address": "192.0.2.1", "port": 443, "fqdn": "www.example.com",
    }
    assert (second["ip_address"], second["port"], second["fqdn"]) == (None, None, "www.example.com")


def test_text_lines_are_one_line_each(logger: logging.Logger) -> None:
    """Time, level, message; text that was not made safe before is made safe here."""
    lines = logged(logger, TextFormatter(), factory.finding())
    logger.error("zone %s", "a\r\nERROR forged\x1b[2J")
    stream = logger.handlers[0].stream  # type: ignore[attr-defined]  # a StreamHandler, put there above
    lines += stream.getvalue().split("\n")[1:-1]
    assert [line.split(" ", 1)[1] for line in lines] == [
        "WARNING 192.0.2.1:443 - www.example.com - certificate has expired", "ERROR zone a\\x0d\\x0aERROR forged\\x1b[2J",
    ]


def test_a_bug_keeps_its_traceback() -> None:
    """With an exception, the text log shows the traceback below the line and the JSON log holds it inside the line."""
    try:
        raise ValueError("boom")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "bug", None, sys.exc_info())
    assert TextFormatter().format(record).endswith("ValueError: boom")
    assert json.loads(JsonFormatter().format(record))["exception"].endswith("ValueError: boom")


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_no_command_to_the_runner_of_a_ci_service(logger: logging.Logger, formatter: logging.Formatter) -> None:
    """Runners read standard error as well: a certificate cannot switch off the annotations of the findings about it."""
    lines = logged(logger, formatter, *(factory.finding(text, fqdn=text) for text in factory.HOSTILE.values()))
    assert len(lines) == len(factory.HOSTILE)
    assert readers.obeyed("\n".join(lines)) == []
