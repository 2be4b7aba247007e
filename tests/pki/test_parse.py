"""The lenient reader says what `cryptography` says where that can read, and still something where it cannot."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pki import forge
from pki.changes import CHANGES, make

from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki import der
from dnscertscan.pki.dn import parse_name
from dnscertscan.pki.parse import parse, reference, serial_text
from dnscertscan.pki.times import read_time

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_facts_equal_those_of_cryptography() -> None:
    """Names, serial, dates, SAN and key of ordinary certificates, RSA and EC."""
    for kind in ("ec", "ec384", "rsa2048"):
        root = Authority.root("Root, Inc. #1", now=NOW, key=kind)
        for made in (root.certificate, root.leaf("a.example", "*.b.example", "192.0.2.7", "2001:db8::7").certificate):
            facts = parse(Certificate(made.public_bytes(Encoding.DER)))
            ref = reference(facts.certificate, 4)
            assert (ref.subject, ref.issuer) == (made.subject.rfc4514_string(), made.issuer.rfc4514_string())
            assert (int(ref.serial, 16), ref.position) == (made.serial_number, 4)
            assert (ref.not_before, ref.not_after) == (made.not_valid_before_utc, made.not_valid_after_utc)
            assert (facts.problem, facts.broken, facts.quirks) == ("", (), ())
            assert facts.key.bits == made.public_key().key_size
    assert facts.extensions.alt_names is not None
    assert facts.extensions.alt_names.dns == ("a.example", "*.b.example")
    assert [len(octets) for octets in facts.extensions.alt_names.ips] == [4, 16]


KINDS = st.sampled_from((NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.LOCALITY_NAME, NameOID.USER_ID))
VALUES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)


@given(st.lists(st.tuples(KINDS, VALUES), max_size=4))
def test_rfc_4514_text_equals_that_of_cryptography(attributes: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    """Every special character is escaped the same way."""
    name = x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])
    assert parse_name(name.public_bytes()).text == name.rfc4514_string()


@pytest.mark.parametrize(
    "change", ["v4", "t61-subject", "serial-long", "leaf-time-offset", "info-access-garbage", "leaf-explicit-curve"]
)
def test_what_cryptography_refuses_is_still_named(change: str) -> None:
    """Subject, issuer, serial and SAN are there although a part is out of order."""
    facts = parse(Certificate(make(change).chain[0]))
    assert facts.problem == ""
    assert facts.subject.text.startswith("CN=")
    assert facts.issuer.text == "CN=Forge Int,O=Forge"
    assert facts.extensions.alt_names is not None
    assert facts.extensions.alt_names.dns == ("www.example.com",)


def test_a_cut_off_certificate_gives_what_is_left() -> None:
    """The frame is broken in the public key: names, serial and dates are still read."""
    spec = forge.leaf_spec()
    broken = replace(spec, public=b"\x30\x82").signed_by(forge.ca_spec())
    ref = reference(Certificate(broken), 0)
    assert parse(Certificate(broken)).problem
    assert (ref.subject, ref.serial) == ("CN=www.example.com,O=Forge", "112233")
    assert ref.not_after is not None


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(CHANGES)), st.integers(0, 1 << 16), st.binary(max_size=4), st.integers(0, 8))
def test_changed_octets_never_raise(change: str, place: int, octets: bytes, cut: int) -> None:
    """Octets replaced, inserted or removed anywhere: always facts."""
    whole = make(change).chain[0]
    start = place % len(whole)
    facts = parse(Certificate(whole[:start] + octets + whole[start + cut :]))
    assert isinstance(reference(facts.certificate, 0).subject, str)


@given(st.binary(max_size=300))
def test_random_octets_never_raise(octets: bytes) -> None:
    """Anything is a certificate with a problem, unless it is one."""
    assert parse(Certificate(octets)).problem


TIME_TAGS = st.sampled_from((der.UTC_TIME, der.GENERALIZED_TIME, der.OID))


@given(TIME_TAGS, st.binary(max_size=20) | st.from_regex(rb"[0-9]{12,14}Z", fullmatch=True))
def test_times_are_moments_or_problems(tag: int, content: bytes) -> None:
    """Either an aware moment or a reason, never both, never an exception."""
    moment, problem = read_time(tag, content)
    assert (moment is None) == bool(problem)
    assert moment is None or moment.tzinfo is UTC


def test_times_of_both_centuries() -> None:
    """UTCTime from 50 is the last century (RFC 5280 4.1.2.5.1)."""
    assert read_time(der.UTC_TIME, b"500101000000Z")[0] == datetime(1950, 1, 1, tzinfo=UTC)
    assert read_time(der.UTC_TIME, b"491231235959Z")[0] == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("octets", "text"), [(b"", ""), (b"\0", "00"), (b"\0\xff", "FF"), (b"\x01\x02", "0102"), (b"\xfe", "-02")]
)
def test_serial_text(octets: bytes, text: str) -> None:
    """Upper-case hexadecimal in whole octets, the sign octet left out."""
    assert serial_text(octets) == text


def test_long_serials_are_cut() -> None:
    """A serial of a kilobyte does not fill a message."""
    assert serial_text(b"\x11" * 1000) == "11" * 64 + "..."


@given(st.lists(st.integers(0, 1 << 40), max_size=6))
def test_object_identifiers(arcs: list[int]) -> None:
    """Dotted text is what was encoded."""
    dotted = ".".join(map(str, (1, 3, *arcs)))
    encoded = forge.oid(dotted)[2:]
    if len(encoded) <= 64:
        assert der.oid(encoded) == dotted
