"""Bad records inside a good transfer: reported one by one, the others kept."""

import pytest
from servers.hostile_axfr import SOA, WWW, Script, fetch, raw_answer, records
from servers.hostile_dns import Peer

from dnscertscan.model.records import ZoneFault, ZoneProblem
from dnscertscan.zones.axfr import MAX_COMPLAINTS


def problems(script: Script) -> list[ZoneProblem]:
    fetched = fetch(script)
    (zone,) = fetched.zones
    assert ("www.example.com", "192.0.2.1") in [(record.name.text, record.data) for record in zone.records]
    assert all(problem.fault is ZoneFault.BAD_RECORD for problem in fetched.problems)
    return list(fetched.problems)


def test_a_bad_record_is_reported_and_the_others_are_kept() -> None:
    """An address of five octets, another class, a name outside the zone: one line each, the zone stays."""

    def script(peer: Peer) -> None:
        good = ("www.example.com.", 1, 1, bytes([192, 0, 2, 1]))
        five = ("bad.example.com.", 1, 1, bytes(5))
        chaos = ("chaos.example.com.", 16, 3, b"\x01x")
        outside = ("www.example.net.", 1, 1, bytes([192, 0, 2, 2]))
        peer.send(raw_answer(peer.query(), five, good, chaos, outside))
        peer.wait()

    lines = [problem.message for problem in problems(script)]
    assert [line.partition(": ")[2].partition(": ")[0] for line in lines] == [
        "record bad.example.com. A",
        "record www.example.net. A",
        "record chaos.example.com. TXT",
    ]
    assert "rdata cannot be read" in lines[0]
    assert "outside the zone" in lines[1]
    assert "class CH instead of IN" in lines[2]


@pytest.mark.parametrize(
    ("kind", "rdata"),
    [
        (5, b"\xc0\xff"),  # a compression pointer that points forward
        (5, b""),
        (5, b"\x3fshort"),  # a label longer than the rdata
        (28, bytes(15)),
        (16, b"\xffx"),
        (1, b"\xc0\x00\x02\x01\x00"),
    ],
)
def test_the_bad_record_is_the_one_that_is_named(kind: int, rdata: bytes) -> None:
    """However the rdata is broken, the complaint names that record and no neighbour."""

    def script(peer: Peer) -> None:
        good = [(f"{name}.example.com.", 1, 1, bytes([192, 0, 2, 1])) for name in ("www", "before", "after")]
        peer.send(raw_answer(peer.query(), *good[:2], ("bad.example.com.", kind, 1, rdata), good[2]))
        peer.wait()

    (problem,) = problems(script)
    assert "record bad.example.com. " in problem.message
    assert "its rdata cannot be read" in problem.message


def test_two_aliases_at_one_name_are_both_kept() -> None:
    """A forbidden second CNAME, and a CNAME beside an address, are not dropped silently."""
    (zone,) = fetch(
        records(SOA, WWW, "www.example.com. 300 IN CNAME a.example.com.", "www.example.com. 300 IN CNAME b.example.com.", SOA)
    ).zones
    assert [record.data for record in zone.records if record.name.text == "www.example.com"] == [
        "192.0.2.1",
        "a.example.com.",
        "b.example.com.",
    ]


def test_a_record_sent_twice_stands_once_with_the_smallest_ttl() -> None:
    """A zone is a set of records (RFC 2181 section 5)."""
    (zone,) = fetch(records(SOA, WWW, WWW.replace("300", "60"), WWW, SOA)).zones
    assert [record.ttl for record in zone.records if record.type == "A"] == [60]


def test_a_flood_of_bad_records_is_counted() -> None:
    """Millions of bad records do not become millions of lines."""

    def script(peer: Peer) -> None:
        good = ("www.example.com.", 1, 1, bytes([192, 0, 2, 1]))
        peer.send(raw_answer(peer.query(), good, *[(".", 1, 1, bytes(4))] * (MAX_COMPLAINTS + 500)))
        peer.wait()

    lines = problems(script)
    assert len(lines) == MAX_COMPLAINTS + 1
    assert "500 more records that cannot be used" in lines[-1].message
