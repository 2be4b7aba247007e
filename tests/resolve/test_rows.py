"""What is not scanned, kept small: a sequence of coverage rows that are made when they are read."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.endpoints import Provenance
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record
from dnscertscan.model.report import CoverageRow, State
from dnscertscan.resolve.rows import LeftOut, Rows

ORIGIN = Origin("zones.json")
WHY = [(State.SKIPPED, "filtered"), (State.FAILED, "dangling")]


def left_out(number: int, why: tuple[State, str] = WHY[0], port: int | None = 443, detail: str = "") -> LeftOut:
    name = DnsName(f"h{number}.e.test")
    record = Record(name, "A", f"192.0.2.{number % 256}", 300, ORIGIN, number)
    return LeftOut(Provenance(record, DnsName("e.test")), name, record.data, port, why, detail)


PORTS = st.sampled_from([None, 25, 443, 10_000])
ANY = st.builds(left_out, st.integers(1, 12), st.sampled_from(WHY), PORTS, st.sampled_from("ab"))


def sort_key(row: CoverageRow) -> tuple[object, ...]:
    return row.zone, row.record, row.fqdn, row.ip_address, row.port or 0, row.state, row.reason, row.detail, row.origin


@given(st.lists(ANY, max_size=20), st.randoms())
def test_rows_stand_in_one_order_whatever_they_came_in(kept, random):
    """Sorted by zone, record, name, address, port, state, reason, detail and origin; equal facts are equal rows."""
    rows = Rows(kept)
    made = list(rows)
    assert made == sorted(made, key=sort_key)
    assert rows == Rows(random.sample(kept, len(kept))) == tuple(made)
    assert len(rows) == len(kept) == len(made)


def test_rows_are_a_sequence_that_can_be_read_again():
    """Length, index, slice, two readings; a row that no record stands behind is among them; equality with a tuple."""
    note = CoverageRow("e.test", "", "x.e.test", "", None, State.SKIPPED, "not-covered")
    rows = Rows([left_out(2), left_out(1), note])
    assert [row.fqdn for row in rows] == [row.fqdn for row in rows] == ["x.e.test", "h1.e.test", "h2.e.test"]
    assert (len(rows), rows[0], rows[-1].origin) == (3, note, "zones.json record 2")
    assert rows[1:] == (rows[1], rows[2])
    assert rows == (*rows,)
    assert rows != tuple(rows)[:2]
    assert Rows([]) == ()
    assert not Rows([])


def test_a_duplicate_names_the_first_record():
    """The sentence is made from the record that has the target."""
    first = left_out(1).provenance
    (row,) = Rows([LeftOut(left_out(2).provenance, DnsName("e.test"), "192.0.2.1", 443, WHY[0], first)])
    assert row.detail == "same target as h1.e.test. A 192.0.2.1 (zone e.test)"


def test_ten_thousand_rows_cost_little():
    """Under 110 octets for a row beside its record; the rows themselves would be several times as large."""
    provenances = [left_out(number).provenance for number in range(10_000)]
    tracemalloc.start()
    try:
        rows = Rows(LeftOut(one, one.record.name, one.record.data, 443, WHY[0]) for one in provenances)
        small = tracemalloc.get_traced_memory()[0]
        made = tuple(rows)
        large = tracemalloc.get_traced_memory()[0] - small
    finally:
        tracemalloc.stop()
    assert len(made) == len(rows) == 10_000
    assert small < 10_000 * 110
    assert large > 2 * small
