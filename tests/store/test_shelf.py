"""Collections on disk do what those in memory do, and outputs made of them are the same octets."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report import factory
from store import values

from dnscertscan.checks.subjects import sort_key
from dnscertscan.model.collected import Groups, grouped
from dnscertscan.model.findings import Finding
from dnscertscan.model.report import Report, Tally
from dnscertscan.pipeline.ledger import row_order
from dnscertscan.report import FORMATS
from dnscertscan.report.coverage import render_coverage
from dnscertscan.store.database import PAGE
from dnscertscan.store.header import Header
from dnscertscan.store.journal import Journal
from dnscertscan.store.rows import FindingCodec, pack_row, unpack_row
from dnscertscan.store.shelf import Shelf
from dnscertscan.store.told import Told, Verdicts

Pair = tuple[str, int]


def shelf_of(pairs: list[Pair]) -> Shelf[Pair]:
    """Pairs in the order of their texts alone, so that many are equal in it."""
    shelf: Shelf[Pair] = Shelf(
        lambda pair: f"{pair[0]} {pair[1]}".encode(), lambda packed: (packed.decode().split()[0], int(packed.split()[1])),
        lambda pair: (pair[0],),
    )
    for pair in pairs:
        shelf.add([pair])
    return shelf


pairs = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=12)


@given(pairs, st.lists(st.integers(0, 6), max_size=4))
def test_a_shelf_is_a_sorted_tuple(items: list[Pair], asked: list[int]) -> None:
    """Order, length, and every way of grouping are the same as in memory."""
    shelf, plain = shelf_of(items), tuple(sorted(items, key=lambda pair: pair[0]))
    assert (tuple(shelf), tuple(shelf), len(shelf)) == (plain, plain, len(plain))
    assert all(item in shelf for item in items)

    def walk(groups: Groups[Pair]) -> list[object]:
        taken = [groups.take((number,)) for number in asked]
        return [taken, list(groups.rest()), list(groups.rest()), list(groups.ordered()), list(groups.ordered())]

    assert walk(grouped(shelf, lambda pair: (pair[1],))) == walk(grouped(plain, lambda pair: (pair[1],)))
    shelf.close()


def test_more_than_a_page() -> None:
    """Long collections are read piecemeal, and nothing is read twice or left out between two pieces."""
    count = 2 * PAGE + 7
    shelf = shelf_of([("a", number) for number in range(count)])
    assert [number for _, number in shelf] == list(range(count))
    assert [number for _, number in grouped(shelf, lambda pair: (-pair[1] // 3,)).ordered()] == sorted(
        range(count), key=lambda number: -number // 3
    )
    shelf.close()


def stored(report: Report) -> Report:
    """The same report with everything on disk."""
    codec = FindingCodec()
    findings: Shelf[Finding] = Shelf(codec.pack, codec.unpack, sort_key)
    findings.add(report.findings)
    rows = Shelf(pack_row, unpack_row, row_order)
    rows.add(report.coverage.rows)
    journal, verdicts = Journal.create(None, Header("{}", factory.NOW)), Verdicts()
    for one in report.observations:
        journal.add(one)
        target = one.target
        verdicts.put(one, report.valid.get((target.endpoint.address, target.endpoint.port, target.server_name.text), {}))
    observed = journal.observed([one.target for one in report.observations])
    return replace(
        report, findings=findings, coverage=replace(report.coverage, rows=rows), observations=observed, valid=verdicts,
        counted=Tally.of(report.findings), served=observed.certificates,
    )


@pytest.mark.parametrize("name", [*FORMATS, "coverage"])
@pytest.mark.parametrize("make", [factory.rich_report, factory.hostile_report, factory.report])
def test_outputs_are_the_same_octets(name: str, make) -> None:
    """No reader can tell whether a report was held in memory or on disk."""
    plain = make()
    coverage = replace(plain.coverage, rows=tuple(sorted(plain.coverage.rows, key=row_order)))
    plain = replace(
        plain, findings=tuple(sorted(plain.findings, key=sort_key)), coverage=coverage,
        observations=tuple(sorted(plain.observations, key=lambda one: one.target)),
    )
    render = render_coverage if name == "coverage" else FORMATS[name].render
    held = stored(plain)
    assert b"".join(render(held)) == b"".join(render(held)) == b"".join(render(plain))


@given(st.lists(values.texts, max_size=3), values.texts)
def test_what_was_told(messages: list[str], another: str) -> None:
    """Exactly the messages that were told are known."""
    told, target = Told(), factory.observation().target
    assert told.before(target) is None
    told.put(target, messages)
    before = told.before(target)
    assert before is not None
    assert all(message in before for message in messages)
    assert (another in before) is (another in messages)
    told.close()


def test_verdicts_are_a_mapping() -> None:
    """In the order they came; an unknown place is no verdict."""
    verdicts = Verdicts()
    for number in (2, 1):
        verdicts.put(factory.observation(address=f"192.0.2.{number}"), {"Mozilla": number == 1})
    place = ("192.0.2.1", 443, "www.example.com")
    assert dict(verdicts) == {("192.0.2.2", 443, "www.example.com"): {"Mozilla": False}, place: {"Mozilla": True}}
    assert verdicts.get(("192.0.2.9", 1, "x"), {}) == {}
    verdicts.close()
