"""StatsD and influx line protocol: what receivers read out of the datagrams."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from report import factory

from dnscertscan.model.findings import Severity
from dnscertscan.model.report import Report, State, ZoneTotals
from dnscertscan.report.datagrams import LARGEST, datagrams
from dnscertscan.report.influx import render_influx
from dnscertscan.report.statsd import gauge, render_statsd

DNS_CERT_CHECKER = {
    "cname_records_total", "a_records_total", "filtered_records_total", "ns_exceptions_total", "cert_warnings_total",
    "cert_errors_total", "process_time_secs",
}


def gauges(packets: list[bytes]) -> dict[str, float]:
    """What a StatsD server holds after these datagrams: a number with a sign is a change of what was there."""
    held: dict[str, float] = {}
    for line in b"\n".join(packets).decode("ascii").split("\n"):
        name, text = re.fullmatch(r"([A-Za-z0-9_.-]+):([-+]?[0-9.]+)\|g", line).groups()
        held[name] = held.get(name, 0) + float(text) if text[0] in "+-" else float(text)
    return held


def points(packets: list[bytes]) -> dict[tuple[str, str], dict[str, float]]:
    """(measurement, zone) -> fields, by the line protocol's own rules on escapes."""
    found = {}
    for line in b"\n".join(packets).decode("utf-8").split("\n"):
        key, fields = re.fullmatch(r"((?:\\.|[^ \\])+) (\S+)", line).groups()
        measurement, tags = re.fullmatch(r"([^,]+),zone=(.*)", key).groups()
        assert re.search(r"(?<!\\)[, =]", tags) is None
        zone = re.sub(r"\\([,= ])", r"\1", tags)
        assert (measurement, zone) not in found
        found[measurement, zone] = {name: float(text) for name, text in (field.split("=") for field in fields.split(","))}
    return found


def test_influx_has_the_fields_of_dns_cert_checker() -> None:
    """Measurement dns, tag zone, and every field that dns-cert-checker sends, as plain numbers and without a time."""
    report = factory.rich_report()
    found = points(list(render_influx(report)))
    assert set(found) == {("dns", zone) for zone in ("example.com", "example.net", "broken.example")}
    for fields in found.values():
        assert set(fields) >= DNS_CERT_CHECKER
    fields = found["dns", "example.com"]
    counted = report.tally().by_zone["example.com"]
    assert (fields["cert_errors_total"], fields["cert_warnings_total"]) == (counted[Severity.ERROR], counted[Severity.WARNING])
    assert fields["process_time_secs"] == 42
    assert fields["filtered_records_total"] == 1
    assert fields["scan_complete"] == 0


def test_influx_counts_records_and_not_targets() -> None:
    """A record that leads to many targets is one; one that leads nowhere is an exception of the name server."""
    alias = {"record": "w.a.test. CNAME x.test.", "origin": "z.json record 2"}
    rows = [
        factory.row(fqdn="a.test", zone="a.test", port=443), factory.row(fqdn="a.test", zone="a.test", port=8443),
        *(_row(factory.row(fqdn="w.a.test", zone="a.test", address=f"192.0.2.{n}"), **alias) for n in range(3)),
        _row(factory.row(State.FAILED, "dangling", fqdn="g.a.test", zone="a.test", address="", port=None),
             record="g.a.test. CNAME y.test.", origin="z.json record 3"),
        _row(factory.row(fqdn="v6.a.test", zone="a.test", address="2001:db8::1"), record="v6.a.test. AAAA 2001:db8::1"),
    ]
    fields = points(list(render_influx(factory.report([], [], factory.coverage(rows)))))["dns", "a.test"]
    counted = [fields[f"{name}_total"] for name in ("a_records", "cname_records", "aaaa_records", "ns_exceptions")]
    assert counted == [1, 2, 1, 1]
    assert (fields["scanned_targets_total"], fields["failed_targets_total"]) == (6, 1)


def _row(row, **changes):
    return replace(row, **changes)


def test_days_left_of_each_name_and_port() -> None:
    """Whole days from the start of the scan, of the leaf and of the first certificate of the chain that ends."""
    held = gauges(list(render_statsd(factory.rich_report())))
    left = held["dnscertscan.days_left.www_example_com.443"]
    assert left == int(left) == 80
    assert held["dnscertscan.chain_days_left.www_example_com.443"] <= left
    assert held["dnscertscan.zone.example_com.findings.error"] == 2
    assert held["dnscertscan.scan.complete"] == 0


def test_an_endpoint_that_gives_no_certificate_is_told() -> None:
    """Days left that are not sent stay what they were: ``scanned`` says that they are old. The least of all addresses counts."""
    held = gauges(list(render_statsd(factory.rich_report())))
    assert held["dnscertscan.scanned.www_example_com.443"] == 1
    assert {name: value for name, value in held.items() if "old_example_com" in name} == {
        "dnscertscan.scanned.old_example_com.443": 0
    }


def test_gauges_below_zero() -> None:
    """An expired certificate has days left below zero, whatever the receiver held before; never a change by as much."""
    assert gauges([gauge("x", 7).encode(), gauge("x", -3).encode()]) == {"dnscertscan.x": -3}
    assert gauges([gauge("x", 7).encode(), gauge("x", 5).encode()]) == {"dnscertscan.x": 5}
    old = factory.rich_report()
    later = replace(old, run=replace(old.run, started=old.run.started + timedelta(days=100)))
    assert gauges(list(render_statsd(later)))["dnscertscan.days_left.www_example_com.443"] == -20


def test_lines_that_belong_together_stay_together() -> None:
    """A datagram has at most 1432 octets, and a negative gauge is never parted from its zero: they may arrive in any order."""
    texts = [gauge(f"g{number}", -1) for number in range(500)]
    packets = list(datagrams(texts))
    assert len(packets) > 1
    assert max(map(len, packets)) <= LARGEST
    assert b"\n".join(packets).decode() == "\n".join(texts)
    for packet in packets:
        lines = packet.decode().split("\n")
        assert len(lines) % 2 == 0


def hostile(render) -> list[bytes]:
    packets = list(render(factory.hostile_report()))
    assert max(map(len, packets)) <= LARGEST
    return packets


def test_hostile_names() -> None:
    """Names from the DNS can neither end a line, nor be another tag, field or gauge."""
    assert points(hostile(render_influx))
    assert gauges(hostile(render_statsd))


@pytest.mark.parametrize("zone", ["a\\,evil=1 b", "a\\", "a\\\\ x=1", "a\\=b"])
def test_backslashes_in_a_tag(zone: str) -> None:
    """There is no escape for them, and receivers differ in what they make of one before a comma: none is sent."""
    totals = (ZoneTotals(zone, 1, 0, {}),)
    (line,) = b"\n".join(render_influx(factory.report([], [], replace(factory.coverage([]), totals=totals)))).decode().split("\n")
    assert "\\\\" not in line
    ((_, name),) = points([line.encode()])
    assert name == zone.replace("\\", "/")


def test_zones_that_become_alike_are_one_point() -> None:
    """Two lines of one zone would be one point: the second would take the place of the first."""
    totals = tuple(ZoneTotals(zone, 1, 0, {(State.FAILED, "refused"): 2}) for zone in ("a/b", "a\\b"))
    found = points(list(render_influx(factory.report([], [], replace(factory.coverage([]), totals=totals)))))
    assert [fields["failed_targets_total"] for fields in found.values()] == [4]


def test_a_run_without_zones_sends_what_there_is() -> None:
    """No zone is no line of influx; StatsD hears that the scan was."""
    empty: Report = factory.report()
    assert list(render_influx(empty)) == []
    assert gauges(list(render_statsd(empty)))["dnscertscan.scan.complete"] == 1
