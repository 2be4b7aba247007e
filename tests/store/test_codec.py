"""Whatever was stored comes back as it was, and what was never stored is refused in a documented way."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store import values

from dnscertscan.checks.subjects import sort_key
from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Deployment, Failure, Handshake, Outcome, StoreVerdict
from dnscertscan.model.report import CoverageRow
from dnscertscan.pipeline.ledger import row_order
from dnscertscan.store.codec import certificates_in, pack, pack_outcome, unpack, unpack_outcome
from dnscertscan.store.keys import key_octets, target_key
from dnscertscan.store.octets import TABLE, Octets
from dnscertscan.store.rows import FindingCodec, pack_row, unpack_row
from dnscertscan.store.scratch import Scratch


@pytest.fixture(scope="module")
def octets() -> Octets:
    database = Scratch()
    database.write(TABLE)
    return Octets(database)


@given(outcome=values.failures | values.handshakes)
def test_outcomes_come_back(octets: Octets, outcome: Outcome) -> None:
    """Every kind of outcome, with any text and any octets, and the certificates in it."""
    packed = pack_outcome(outcome, octets)
    assert unpack_outcome(packed, octets) == outcome
    chains = [one.chain for one in outcome.deployments] if isinstance(outcome, Handshake) else []
    assert [octets.certificate(number) for number in certificates_in(packed)] == [one for chain in chains for one in chain]


def test_no_field_is_forgotten() -> None:
    """A field that an outcome gets one day must be stored too: then this number and the codec change together."""
    assert [len(fields(kind)) for kind in (Failure, Handshake, Deployment, StoreVerdict)] == [2, 8, 7, 3]


def test_equal_octets_are_kept_once(octets: Octets) -> None:
    """A staple that a thousand targets share is one entry."""
    assert octets.number(b"staple") == octets.number(b"staple") != octets.number(b"another")
    assert octets.number(None) is None


@given(st.lists(values.texts, max_size=3))
def test_texts_come_back(texts: list[str]) -> None:
    """Also halves of surrogate pairs, side by side, which JSON's escapes would join to one character."""
    assert unpack(pack(texts)) == texts


@given(st.binary(max_size=60))
def test_foreign_octets_are_refused(octets: Octets, data: bytes) -> None:
    """What is no outcome raises what the reader of journals expects, nothing else."""
    try:
        unpack_outcome(data, octets)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return


def test_deep_nesting_is_refused(octets: Octets) -> None:
    """A file made to exhaust the stack is one clear error."""
    with pytest.raises(ValueError, match="nested"):
        unpack(b"[" * 200_000)


@given(values.findings)
def test_findings_come_back(finding: Finding) -> None:
    """All that outputs show; also what is no part of the identity of a finding."""
    codec = FindingCodec()
    back = codec.unpack(codec.pack(finding))
    assert back == finding
    assert back.ct == finding.ct


@given(values.rows)
def test_rows_come_back(row: CoverageRow) -> None:
    """Every column."""
    assert unpack_row(pack_row(row)) == row


@given(st.lists(values.targets, max_size=8))
def test_target_keys_sort_as_targets(targets: list) -> None:
    """SQLite's order of the keys is the order of the targets."""
    assert sorted(targets, key=target_key) == sorted(targets)


@given(st.lists(values.findings, max_size=8), st.lists(values.rows, max_size=8))
def test_keys_sort_as_findings_and_rows(findings: list[Finding], rows: list[CoverageRow]) -> None:
    """The same for the orders of the report."""
    assert sorted(findings, key=lambda one: key_octets(sort_key(one))) == sorted(findings, key=sort_key)
    assert sorted(rows, key=lambda one: key_octets(row_order(one))) == sorted(rows, key=row_order)


@given(st.integers(-(2**130), 2**130), st.integers(-(2**130), 2**130))
def test_integers_sort(first: int, second: int) -> None:
    """Also negative ones, and IPv6 addresses as numbers."""
    assert (key_octets((first,)) < key_octets((second,))) is (first < second)


@given(st.tuples(values.texts, values.texts), st.tuples(values.texts, values.texts))
def test_keys_keep_their_parts_apart(first: tuple[str, str], second: tuple[str, str]) -> None:
    """Two texts with NULs in them are never taken for two others."""
    assert (key_octets(first) == key_octets(second)) is (first == second)
    assert (key_octets(first) < key_octets(second)) is (first < second)
