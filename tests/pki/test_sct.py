"""SCT lists read leniently, signatures checked strictly."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pki import ct_forge, forge
from pki.ct_forge import CA, LEAF, OwnLog, leaf_index, sct_list, vector
from pki.forge import NOW

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import BadSct, LogKind, Sct, SctVerdict
from dnscertscan.pki import der
from dnscertscan.pki.mimics import MIMICS
from dnscertscan.pki.sct import (
    LIST_BROKEN,
    MAX_SCTS,
    embedded_sct_list,
    parse_sct,
    parse_sct_list,
    signed_data,
    stapled_sct_list,
    verify,
)
from dnscertscan.pki.tbs import PrecertEntry, X509Entry, precert_entry

LOG = OwnLog()
SERVED = LEAF.signed_by(CA)
ENTRY = X509Entry(SERVED)
RAW = LOG.sct(ct_forge.x509_entry(SERVED))


def _sct(raw: bytes) -> Sct:
    sct = parse_sct(raw)
    assert isinstance(sct, Sct)
    return sct


def _problems(octets: bytes) -> list[str]:
    return [sct.problem if isinstance(sct, BadSct) else "" for sct in parse_sct_list(octets)]


def test_fields_of_an_sct() -> None:
    """Every field comes out as it was written, the time to the millisecond."""
    at = NOW.replace(microsecond=123000)
    sct = _sct(OwnLog(kind=LogKind.STATIC).sct(ct_forge.x509_entry(b"x"), at, leaf_index(851041080)))
    assert (sct.version, sct.log_id, sct.at, sct.leaf_index) == (0, LOG.log_id, at, 851041080)
    assert (sct.hash_algorithm, sct.signature_algorithm) == (4, 3)


def test_a_time_beyond_the_calendar_is_a_time() -> None:
    """The largest timestamp there is does not break the reader."""
    sct = _sct(RAW[:33] + b"\xff" * 8 + RAW[41:])
    assert sct.at.year == 9999


def test_one_malformed_sct_loses_only_itself() -> None:
    """Whatever one SCT of a list is, its neighbours are read."""
    for bad in (b"\1" + RAW[1:], RAW[:20], RAW[:-1], RAW + b"x", b"", b"\0" * 45):
        first, middle, last = parse_sct_list(sct_list([RAW, bad, RAW]))
        assert isinstance(first, Sct)
        assert isinstance(middle, BadSct)
        assert first == last


def test_problems_are_named() -> None:
    """What is wrong is said: version, where it ends, which length."""
    assert _problems(sct_list([b"\1" + RAW[1:]])) == ["unknown SCT version 1"]
    assert _problems(sct_list([RAW[:-1]])) == [f"signature of {len(RAW) - 47} octets declared, {len(RAW) - 48} are there"]
    assert "ends before its extensions" in _problems(sct_list([RAW[:42]]))[0]
    assert "inside its extensions" in _problems(sct_list([RAW[:41] + b"\xff\xff" + RAW[43:]]))[0]


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "0 octets, too few"), (b"\0", "1 octets, too few"), (b"\0\0", "it is empty"),
        (sct_list([RAW])[:-1], "octets, "), (sct_list([RAW]) + b"x", "are there"),
    ],
)
def test_a_broken_list_is_one_bad_sct(octets: bytes, words: str) -> None:
    """When the length of the list is wrong, nothing in it is taken, and one value says why."""
    (problem,) = _problems(octets)
    assert problem.startswith(LIST_BROKEN)
    assert words in problem


def test_scts_before_a_break_are_kept() -> None:
    """An SCT that is longer than the rest of the list ends it; those before are there."""
    good, broken = _problems(vector(2, vector(2, RAW) + b"\xff\xff" + RAW))
    assert good == ""
    assert broken == f"SCT list: an SCT of 65535 octets where {len(RAW)} are left"
    assert _problems(vector(2, vector(2, RAW) + b"x"))[1] == "SCT list: one octet behind the last SCT"


def test_a_list_of_very_many_is_cut() -> None:
    """No more are looked at than anybody needs."""
    problems = _problems(sct_list([b"\0"] * 20_000))
    assert len(problems) == MAX_SCTS + 1
    assert problems[-1].startswith(LIST_BROKEN)


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_hostile_octets(octets: bytes) -> None:
    """Any octets give values; and framed as a list, one value for each SCT."""
    assert parse_sct_list(octets)
    assert len(parse_sct_list(sct_list([octets, RAW]))) == 2
    cut = RAW[: len(octets)] + octets
    assert isinstance(parse_sct(cut), Sct | BadSct)


def test_signed_data_is_what_the_rfc_says() -> None:
    """The octets under the signature, for both kinds of entry (RFC 6962 3.2)."""
    sct = _sct(OwnLog(kind=LogKind.STATIC).sct(b""))
    time = sct.timestamp.to_bytes(8, "big")
    assert signed_data(sct, X509Entry(b"leaf")) == b"\0\0" + time + b"\0\0" + b"\0\0\4leaf" + b"\0\x08" + leaf_index(7)
    entry = PrecertEntry(b"h" * 32, b"tbs")
    assert signed_data(sct, entry) == b"\0\0" + time + b"\0\1" + b"h" * 32 + b"\0\0\3tbs" + b"\0\x08" + leaf_index(7)


@pytest.mark.parametrize(
    "log", [LOG, OwnLog("rsa", key_kind="RSA2048"), OwnLog("static", kind=LogKind.STATIC)], ids=lambda log: log.label
)
def test_good_signatures(log: OwnLog) -> None:
    """ECDSA and RSA logs, over a certificate and over a precertificate."""
    assert verify(_sct(log.sct(ct_forge.x509_entry(SERVED))), log.log, ENTRY) == (SctVerdict.VALID, "")
    leaf, issuer = ct_forge.issue([log]), ct_forge.issuer_of()
    (sct,) = parse_sct_list(embedded_sct_list(leaf) or b"")
    assert isinstance(sct, Sct)
    assert verify(sct, log.log, precert_entry(leaf, issuer)) == (SctVerdict.VALID, "")
    assert verify(sct, log.log, X509Entry(leaf.der))[0] is SctVerdict.INVALID


def test_bad_signatures_each_with_its_reason() -> None:
    """Every way in which an SCT is not of the log over this certificate."""
    sct, log = _sct(RAW), LOG.log
    other = OwnLog("other")
    rsa1024, p384 = OwnLog("small", key_kind="RSA1024"), OwnLog("curve", key_kind="P-384")
    foreign = ct_forge.x509_entry(SERVED)
    cases = [
        (sct, other.log, "another log"),
        (replace(sct, timestamp=sct.timestamp + 1), log, "not by the key"),
        (replace(sct, extensions=leaf_index(1)), log, "not by the key"),
        (replace(sct, signature=b""), log, "not by the key"),
        (replace(sct, signature=b"\xff" * 70), log, "not by the key"),
        (replace(sct, hash_algorithm=2), log, "2/3 where 4/3"),
        (replace(sct, signature_algorithm=1), log, "4/1 where 4/3"),
        (sct, replace(log, key=other.spki), "does not have its log id"),
        (_sct(rsa1024.sct(foreign)), rsa1024.log, "neither ECDSA"),
        (_sct(p384.sct(foreign)), p384.log, "neither ECDSA"),
    ]
    for candidate, by, words in cases:
        verdict, reason = verify(candidate, by, ENTRY)
        assert verdict is SctVerdict.INVALID
        assert words in reason
    other_leaf = verify(sct, log, X509Entry(SERVED + b"x"))
    assert other_leaf == (SctVerdict.INVALID, "the signature is not by the key of the log over this")


def test_a_log_key_of_garbage() -> None:
    """A key that cannot be loaded makes the SCT invalid, not an exception."""
    log_id = sha256(b"junk").digest()
    sct = _sct(RAW[:1] + log_id + RAW[33:])
    assert "cannot be read" in verify(sct, replace(LOG.log, log_id=log_id, key=b"junk"), ENTRY)[1]


def test_mimic_logs_are_never_believed() -> None:
    """Even when a list holds a mimic log, its SCTs are invalid."""
    for log_id in MIMICS:
        sct = replace(_sct(RAW), log_id=log_id)
        assert "mimic" in verify(sct, replace(LOG.log, log_id=log_id), ENTRY)[1]


@pytest.mark.parametrize(
    ("extensions", "index", "words"),
    [
        (leaf_index(5), 5, ""), (b"\7\0\1x" + leaf_index(5), 5, ""), (b"", None, "gave no leaf_index"),
        (leaf_index(5) * 2, None, "occurs twice"), (b"\7\0\1x\7\0\1y", None, "occurs twice"),
        (b"\0\0\4abcd", None, "has 4 octets"),
        (b"\0\0", None, "inside the header"), (b"\0\0\5abc", None, "longer"),
    ],
)
def test_extensions_of_static_logs(extensions: bytes, index: int | None, words: str) -> None:
    """leaf_index is read, unknown types are passed over, what cannot be read makes the SCT invalid in spite of its signature."""
    log = OwnLog("static", kind=LogKind.STATIC)
    sct = _sct(log.sct(ct_forge.x509_entry(SERVED), extensions=extensions))
    verdict, reason = verify(sct, log.log, ENTRY)
    assert sct.leaf_index == index
    assert words in reason
    assert verdict is (SctVerdict.VALID if index is not None or not extensions else SctVerdict.INVALID)
    plain = OwnLog("plain")  # what an RFC 6962 log puts there is nobody's business
    assert verify(_sct(plain.sct(ct_forge.x509_entry(SERVED), extensions=extensions)), plain.log, ENTRY) == (SctVerdict.VALID, "")


def test_where_embedded_lists_are() -> None:
    """No extension is None; a broken or repeated one is an error that names it."""
    assert embedded_sct_list(Certificate(SERVED)) is None
    assert embedded_sct_list(ct_forge.with_scts([RAW])) == sct_list([RAW])
    broken = forge.Extension(ct_forge.SCT_LIST, b"no octet string")
    with pytest.raises(der.DerError):
        embedded_sct_list(Certificate(LEAF.with_(broken).signed_by(CA)))
    twice = replace(LEAF, extensions=(*LEAF.extensions, *[ct_forge.embedding(sct_list([RAW]))] * 2))
    with pytest.raises(der.DerError, match="twice"):
        embedded_sct_list(Certificate(twice.signed_by(CA)))


def test_lists_in_ocsp_responses() -> None:
    """The list of the response about this certificate, behind other extensions; None when there is none."""
    leaf = Certificate(SERVED)
    assert stapled_sct_list(ct_forge.stapled(sct_list([RAW])), leaf) == sct_list([RAW])
    revoked = ct_forge.stapled(sct_list([RAW]), status=forge.revoked(NOW))  # its tag is that of the extensions
    assert stapled_sct_list(revoked, leaf) == sct_list([RAW])
    assert stapled_sct_list(forge.OcspSpec(CA, LEAF.serial).der, leaf) is None
    assert stapled_sct_list(forge.OcspSpec(CA, LEAF.serial, status=forge.revoked(NOW)).der, leaf) is None
    for staple, words in (
        (ct_forge.stapled(b"", serial=b"\x44"), "another certificate"), (b"x", "ends inside"),
        (forge.OcspSpec(CA, b"", outer=3).der, "tryLater"),
    ):
        with pytest.raises(der.DerError, match=words):
            stapled_sct_list(staple, leaf)


def test_cut_and_changed_responses_raise_nothing_else() -> None:
    """A response cut off or changed anywhere gives a list, None, or a DerError."""
    whole, leaf = ct_forge.stapled(sct_list([RAW])), Certificate(SERVED)
    for place in range(len(whole)):
        for staple in (whole[:place], whole[:place] + bytes([whole[place] ^ 0x21]) + whole[place + 1 :]):
            try:
                found = stapled_sct_list(staple, leaf)
            except der.DerError:
                continue
            assert found is None or parse_sct_list(found)
