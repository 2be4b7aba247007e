"""Hostile and huge revocation lists: bounded time and memory, no crash, never a verdict that the issuer did not sign."""

import subprocess
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from servers.lists import Revoked, crl, der, names_lists

from dnscertscan.demo.authority import Authority, pem
from dnscertscan.pki import der as asn1
from dnscertscan.pki.crl import CrlStatus, judge_crl
from dnscertscan.pki.crl_list import read_list
from dnscertscan.pki.distribution import parse_points, parse_scope
from dnscertscan.pki.parse import parse

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ISSUER = Authority.root("Hostile CRL Root", now=NOW)
LEAF = ISSUER.leaf("a.example", amend=names_lists("http://crl.example/1.crl"))
PAIR = der(LEAF.certificate), der(ISSUER.certificate)
LISTED = crl(ISSUER, Revoked(LEAF.certificate, NOW - timedelta(days=1)))
ENTRY = bytes.fromhex("302f0210") + b"%b" + bytes.fromhex("170d3236303130313030303030305a300c300a0603551d1504030a0104")


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 0x80 else bytes([0x80 | len(octets)]) + octets) + content


def signed(entries: bytes, base: bytes = LISTED) -> bytes:
    """The list with other entries and a good signature."""
    start, stop = asn1.whole(base, asn1.SEQUENCE, "list")
    tbs_start, tbs_stop = asn1.expect(base, start, stop, asn1.SEQUENCE, "tbs")
    head = read_list(base)
    parts = [base[pos:end] for pos, end in walk(base, tbs_start, tbs_stop)]
    parts[parts.index(tlv(asn1.SEQUENCE, base[slice(*head.entries)]))] = tlv(asn1.SEQUENCE, entries)
    tbs = tlv(asn1.SEQUENCE, b"".join(parts))
    signature = ISSUER.credential.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return tlv(asn1.SEQUENCE, tbs + head.algorithm + tlv(asn1.BIT_STRING, b"\0" + signature))


def walk(data: bytes, pos: int, end: int):
    for _, _, stop in asn1.children(data, pos, end):
        yield pos, stop
        pos = stop


def test_a_huge_list_takes_little_time_and_memory() -> None:
    """100,000 entries (5 MB): seconds at most, and no more memory than a second copy of the list."""
    entries = b"".join(ENTRY % (b"\x11" + number.to_bytes(15, "big")) for number in range(100_000))
    octets = signed(entries + LISTED[slice(*read_list(LISTED).entries)])
    assert len(octets) > 4_800_000
    tracemalloc.start()
    try:
        read_list(octets)
        started = time.process_time()
        verdict = judge_crl(*PAIR, octets, NOW)
        took = time.process_time() - started
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert verdict.status is CrlStatus.REVOKED
    assert peak < 1.2 * len(octets)
    assert took < 10  # 0.2 s without the accounting of memory, which slows it down


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (b"\x30\x03\x02\x01\x05", "not a time"), (b"\x05\x00", "tag 0x05"), (b"\x30\x84\xff\xff\xff\xff", "longer than"),
        (b"\x30\x80\x00\x00", "indefinite"),
        (tlv(48, tlv(2, b"\1") + tlv(0x17, b"260101000000Z") + b"\x30\x04\x01\x01\xff\0"), "tag"),
    ],
)
def test_broken_entries_make_the_list_useless(entries: bytes, words: str) -> None:
    """Signed by the CA all the same: nobody knows what is behind the broken place, so it proves nothing."""
    verdict = judge_crl(*PAIR, signed(entries), NOW)
    assert verdict.status is CrlStatus.UNUSABLE
    assert words in verdict.why


def entry(serial: bytes, extensions: bytes) -> bytes:
    return tlv(48, tlv(2, serial) + tlv(0x17, b"260101000000Z") + tlv(48, extensions))


def test_only_entries_are_entries() -> None:
    """A whole entry inside an extension of another one is none; an entry that undoes a revocation hides no other."""
    serial = parse(PAIR[0]).serial
    removed, revoked = (entry(serial, bytes.fromhex("300a0603551d1504030a01") + bytes([reason])) for reason in (8, 1))
    inside = entry(b"\5", tlv(48, bytes.fromhex("06032a0304") + tlv(4, revoked)))
    assert judge_crl(*PAIR, signed(inside), NOW).status is CrlStatus.GOOD
    assert judge_crl(*PAIR, signed(removed), NOW).status is CrlStatus.GOOD
    for entries in (removed + revoked, revoked + removed, inside + revoked):
        assert judge_crl(*PAIR, signed(entries), NOW).status is CrlStatus.REVOKED


@given(st.binary(max_size=300))
def test_random_octets_are_unusable(octets: bytes) -> None:
    """Nothing but a real list says anything."""
    assert judge_crl(*PAIR, octets, NOW).status is CrlStatus.UNUSABLE


@given(st.integers(0, len(LISTED) - 1), st.binary(max_size=4), st.integers(0, 6))
def test_a_changed_list_is_unusable(place: int, inserted: bytes, cut: int) -> None:
    """Any change of any octets breaks the signature or the frame: the verdict is the original one or none."""
    changed = LISTED[:place] + inserted + LISTED[place + cut :]
    expected = (CrlStatus.UNUSABLE, CrlStatus.REVOKED) if changed == LISTED else (CrlStatus.UNUSABLE,)
    assert judge_crl(*PAIR, changed, NOW).status in expected


@given(st.binary(max_size=120))
def test_signed_garbage_for_entries(entries: bytes) -> None:
    """Whatever a CA signs ends in a verdict."""
    assert judge_crl(*PAIR, signed(entries), NOW).status in CrlStatus


@given(st.binary(max_size=80))
def test_distribution_points_of_any_octets(octets: bytes) -> None:
    """Read, or refused as DER: nothing else."""
    for read in (parse_points, parse_scope):
        try:
            read(tlv(asn1.SEQUENCE, octets))
        except asn1.DerError as error:
            assert str(error)


def test_lists_of_a_real_openssl_ca(tmp_path: Path) -> None:
    """`openssl ca -revoke` and `-gencrl`, in DER and in PEM: the revoked one is revoked, the other is good."""
    other = ISSUER.leaf("b.example")
    files = {"ca.pem": pem([ISSUER.certificate]), "key.pem": ISSUER.credential.key_pem, "leaf.pem": pem([LEAF.certificate]),
             "index": b"", "crlnumber": b"01\n", "ca.cnf": (
                 b"[ca]\ndefault_ca=own\n[own]\ndatabase=index\ncrlnumber=crlnumber\ncertificate=ca.pem\nprivate_key=key.pem\n"
                 b"default_md=sha256\ndefault_crl_days=3\n")}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for command in (
        "ca -config ca.cnf -revoke leaf.pem -crl_reason superseded", "ca -config ca.cnf -gencrl -out crl.pem",
        "crl -in crl.pem -outform DER -out crl.der",
    ):
        subprocess.run(["openssl", *command.split()], cwd=tmp_path, capture_output=True, check=True)
    for name in ("crl.pem", "crl.der"):
        octets = (tmp_path / name).read_bytes()
        now = datetime.now(UTC) + timedelta(minutes=1)
        verdict = judge_crl(*PAIR, octets, now)
        assert (verdict.status, verdict.reason) == (CrlStatus.REVOKED, "superseded")
        assert judge_crl(der(other.certificate), PAIR[1], octets, now).status is CrlStatus.GOOD
