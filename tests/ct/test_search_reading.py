"""Readers of rows: whatever a service sends, in whatever types and sizes, is a row or a problem in safe words."""

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from ct.searching import CA, DOMAIN, certificate, crtsh_row, identity, sslmate_row
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.ct.search_reading import (
    MAX_NAME,
    MAX_PROBLEMS,
    Problems,
    UnreadableError,
    concerns,
    read_certificate,
    read_names,
    read_rows,
    read_serial,
)
from dnscertscan.ct.sources import crtsh, crtsh_sql, sslmate
from dnscertscan.model.names import DnsName

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just("www.watched.com\nx\0\x1b[31m"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=8,
)
GOOD = certificate("www.watched.com", "*.watched.com")
CRTSH, SSLMATE = crtsh_row(5, GOOD), sslmate_row(5, GOOD)


def spoiled(row: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """The row with some of its fields replaced by anything."""
    return st.dictionaries(st.sampled_from(sorted(row)), JSON, max_size=4).map(lambda changed: {**row, **changed})


@given(st.one_of(JSON, spoiled(CRTSH)))
def test_any_crtsh_row(raw: object) -> None:
    """A row that concerns the domain, or none; problems are printable and short."""
    problems = Problems()
    row = crtsh.read_row(raw, DOMAIN, problems)
    assert row is None or (int(row.key) > 0 and concerns(row.issuance.names, DOMAIN) and row.issuance.tbs_sha256 == "")
    assert all(line.isprintable() and len(line) < 400 for line in problems.lines)


@given(st.one_of(JSON, spoiled(SSLMATE)))
def test_any_sslmate_row(raw: object) -> None:
    """The same; an identity is 64 hexadecimal digits or none."""
    problems = Problems()
    row = sslmate.read_row(raw, DOMAIN, problems)
    assert row is None or (len(row.issuance.tbs_sha256) in (0, 64) and row.issuance.source == "sslmate")
    assert all(line.isprintable() and len(line) < 400 for line in problems.lines)


@given(st.tuples(*[st.none() | st.integers() | st.text(max_size=5) | st.binary(max_size=40) | st.just(GOOD)] * 4))
def test_any_database_record(record: tuple[object, ...]) -> None:
    """Other types than expected are problems."""
    problems = Problems()
    row = crtsh_sql.read_record((*record, None), DOMAIN, problems)
    assert row is None or row.issuance.tbs_sha256 == identity(GOOD)


@given(st.binary(max_size=200))
def test_any_body(body: bytes) -> None:
    """A list, or UnreadableError in printable words; never an empty list of anything but an empty JSON array."""
    try:
        found = read_rows(body, "it")
    except UnreadableError as error:
        assert str(error).isprintable()
    else:
        assert isinstance(found, list)
        assert found or json.loads(body) == []


@given(st.binary(max_size=600))
def test_any_octets_as_a_certificate(octets: bytes) -> None:
    """None, or something with an identity."""
    found = read_certificate(octets, "x", None)
    assert found is None or len(found.tbs_sha256) == 64


@pytest.mark.parametrize("number", [0, -5, 2**63, 10**30, True, 1.0, None, "x", "-3", [], "5" * 30])
def test_ids_that_are_none(number: object) -> None:
    """Negative, too large, of another type: the row is refused, in words."""
    problems = Problems()
    assert crtsh.read_row({**CRTSH, "id": number}, DOMAIN, problems) is None
    assert "is no positive number" in problems.lines[0]


def test_hostile_names() -> None:
    """100 kB of name are left out and said; NUL, escapes and HTML stay raw in values and are safe in words."""
    problems = Problems()
    odd = ["a\0.watched.com", "\x1b[31mred.watched.com", "<script>.watched.com", "WWW.watched.com."]
    value = "\n".join(["x" * 100_000, "www.watched.com", *odd])
    row = crtsh.read_row({**CRTSH, "name_value": value, "common_name": None}, DOMAIN, problems)
    assert row is not None
    assert row.issuance.names == ("www.watched.com", "a\0.watched.com", "\x1b[31mred.watched.com", "<script>.watched.com")
    (line,) = problems.lines
    assert "a name of 100000 characters" in line
    assert len(line) < 400


def test_a_name_that_was_cut_at_nul() -> None:
    """www.watched.com NUL .evil.org is ours to know about: some clients read no further."""
    assert concerns(["www.watched.com\0.evil.org"], DOMAIN)
    assert concerns(["evil.org\0.watched.com"], DOMAIN)
    assert not concerns(["xwatched.com", "watched.com.evil.org", ""], DOMAIN)


@pytest.mark.parametrize(("text", "serial"), [
    ("00b3", "B3"), ("3", "03"), ("0x12", ""), ("", ""), ("AB:CD", "ABCD"), ("-ff", "-FF"), ("f" * 129, ""), ("12 34", ""),
    ("\u0661", ""), ("00000000", "00"),
])
def test_serials(text: str, serial: str) -> None:
    """Upper case, whole octets, no needless zeros, as serials of certificates are written elsewhere."""
    assert read_serial(text) == serial


def test_serials_of_rows_and_certificates_agree() -> None:
    """What crt.sh writes and what we read from the certificate compare as equal."""
    for serial in (1, 0x80, 0xFF00, 2**159 - 1):
        der = certificate("www.watched.com", serial=serial)
        row = crtsh.read_row(crtsh_row(1, der), DOMAIN, Problems())
        found = read_certificate(der, "x", None)
        assert row is not None
        assert found is not None
        assert row.issuance.serial == found.serial


@pytest.mark.parametrize(("text", "moment"), [
    ("2026-05-01T02:03:04", datetime(2026, 5, 1, 2, 3, 4, tzinfo=UTC)),
    ("2026-05-01T02:03:04+02:00", datetime(2026, 5, 1, 0, 3, 4, tzinfo=UTC)),
    ("2026-05-01T02:03:04.5Z", datetime(2026, 5, 1, 2, 3, 4, 500_000, tzinfo=UTC)),
    ("0001-01-01T00:00:00+14:00", None), ("soon", None), (5, None), (None, None), ("9" * 100_000, None),
])
def test_times(text: object, moment: datetime | None) -> None:
    """UTC when no zone is said; what is no time is none."""
    row = crtsh.read_row({**CRTSH, "not_before": text}, DOMAIN, Problems())
    assert row is not None
    assert row.issuance.not_before == moment


def test_many_problems_are_counted() -> None:
    """The first ones in words, the others as a number: no service fills memory or log with them."""
    problems = Problems()
    for number in range(1000):
        crtsh.read_row(number, DOMAIN, problems)
        crtsh.read_row({"id": f"x{number}"}, DOMAIN, problems)
    assert len(problems.lines) == MAX_PROBLEMS + 1
    assert problems.lines[-1] == f"and {1001 - MAX_PROBLEMS} more"


def test_names_are_bounded() -> None:
    """Not more than so many, each no longer than so much."""
    problems = Problems()
    names = read_names([f"h{number}.watched.com" for number in range(30_000)], "row", problems)
    assert len(names) == 20_000
    assert read_names(["x" * MAX_NAME, "joe@watched.com", 5, "  "], "row", problems) == ("x" * MAX_NAME,)


def test_what_a_certificate_says() -> None:
    """Names and addresses of the subjectAltName; the common name only where there are none."""
    found = read_certificate(certificate("A.watched.com"), "x", None)
    assert found is not None
    assert found.names == ("a.watched.com",)
    credential = CA.leaf("Www.Watched.com", "192.0.2.7")
    found = read_certificate(credential.certificate.public_bytes(Encoding.DER), "x", None)
    assert found is not None
    assert found.names == ("www.watched.com", "192.0.2.7")
    bare = CA.leaf(common_name="Only.watched.com")
    found = read_certificate(bare.certificate.public_bytes(Encoding.DER), "x", None)
    assert found is not None
    assert found.names == ("only.watched.com",)


def test_another_domain() -> None:
    """A row is read for one domain only."""
    assert crtsh.read_row(CRTSH, DnsName("other.com"), Problems()) is None
