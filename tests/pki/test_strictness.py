"""What no client can load is refused: keys, fields in the wrong place, PSS parameters that lie. OpenSSL is asked each time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pki import forge, openssl
from pki.forge import BASIC, NC, NOW, bits, general, integer, oid, san, seq, tlv
from pki.worlds import Case

from dnscertscan import diagnose

ROOT, INT, LEAF = forge.root_spec(), forge.ca_spec(), forge.leaf_spec()
EC, P256, RSA, PSS, MGF1 = (
    "1.2.840.10045.2.1", "1.2.840.10045.3.1.7", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8",
)
CRL_POINTS = "2.5.29.31"
MODULUS = int.from_bytes(b"\xc1" + b"\x55" * 255, "big")
Parts = list[bytes]


def _case(leaf: bytes, issuer: bytes | None = None) -> Case:
    return Case((leaf, issuer or INT.signed_by(ROOT)), (ROOT.signed_by(ROOT),), "www.example.com", NOW)


def _problems(case: Case) -> list[str]:
    """Slug and severity's first letter of what concerns the leaf, in order."""
    found = diagnose(case.chain, case.name, case.anchors, case.at)
    return [f"{problem.slug} {problem.severity[0]}" for problem in found.problems]


def _parts(octets: bytes) -> Parts:
    """The elements inside the outermost one; lengths as `forge` writes them."""
    def header(pos: int) -> tuple[int, int]:
        size = octets[pos + 1]
        count = size & 0x7F if size & 0x80 else 0
        start = pos + 2 + count
        return start, start + (int.from_bytes(octets[pos + 2 : start], "big") if count else size)

    pos, end = header(0)
    found = []
    while pos < end:
        stop = header(pos)[1]
        found.append(octets[pos:stop])
        pos = stop
    return found


def _edited(change: Callable[[Parts], Parts]) -> bytes:
    """The leaf with the parts of its tbsCertificate changed, then signed."""
    signed, outer, _ = _parts(LEAF.signed_by(INT))
    signed = seq(*change(_parts(signed)))
    return seq(signed, outer, bits(forge.sign(INT.private, signed)))


def _subject(*attribute: bytes) -> bytes:
    return replace(LEAF, subject=seq(tlv(0x31, seq(*attribute)))).signed_by(INT)


def _rsa(*content: bytes, more: bytes = b"") -> bytes:
    return seq(seq(oid(RSA), tlv(5)), bits(seq(*content)), more)


def _point(point: bytes, curve: str = P256) -> bytes:
    return seq(seq(oid(EC), oid(curve)), bits(point))


BAD, UNKNOWN = ["cert-unparseable e"], ["unsupported-alg e"]
KEYS = {
    "point off the curve": (_point(b"\4" + b"\1" * 64), BAD), "short point": (_point(b"\4" + b"\1" * 10), BAD),
    "empty point": (_point(b""), BAD), "short point on a curve the library lacks": (_point(b"\4\1", "1.3.132.0.32"), BAD),
    "three INTEGERs": (_rsa(integer(MODULUS), integer(3), integer(3)), BAD),
    "something behind the key": (_rsa(integer(MODULUS), integer(3), more=integer(3)), BAD),
    "short Ed25519": (seq(seq(oid("1.3.101.112")), bits(b"1" * 31)), BAD),
    "Ed25519 with parameters": (seq(seq(oid("1.3.101.112"), tlv(5)), bits(b"1" * 32)), BAD),
    "unknown algorithm": (seq(seq(oid("1.3.6.1.4.1.5555.7")), bits(b"1234")), UNKNOWN),
    "unknown curve": (_point(b"\4" + b"\1" * 64, "1.3.6.1.4.1.5555.7"), UNKNOWN),
}


@pytest.mark.parametrize("label", KEYS)
def test_key_nobody_can_load(label: str, tmp_path: Path) -> None:
    """A leaf whose key cannot be loaded is refused, here and by OpenSSL."""
    public, expected = KEYS[label]
    case = _case(replace(LEAF, public=public).signed_by(INT))
    assert _problems(case) == expected
    assert not openssl.verify(case, tmp_path)[0]


def test_point_at_infinity_is_no_key(tmp_path: Path) -> None:
    """OpenSSL loads the point at infinity, with which no handshake works (SEC 1 3.2.2.1); we are stricter."""
    case = _case(replace(LEAF, public=_point(b"\0")).signed_by(INT))
    assert _problems(case) == BAD
    assert openssl.verify(case, tmp_path)[0]


def _swapped() -> bytes:
    """Name constraints with the excluded ones first."""
    sides = (tlv(0xA1, seq(general("evil.example"))), tlv(0xA0, seq(general("example.com"))))
    return LEAF.with_(forge.Extension(NC, seq(*sides), True)).signed_by(INT)


FORMS: dict[str, Callable[[], bytes]] = {
    "serial without octets": lambda: replace(LEAF, serial=b"").signed_by(INT),
    "padded serial": lambda: replace(LEAF, serial=b"\0\1").signed_by(INT),
    "padded negative serial": lambda: replace(LEAF, serial=b"\xff\xff").signed_by(INT),
    "behind the signature": lambda: seq(*_parts(LEAF.signed_by(INT)), integer(1)),
    "INTEGER behind extensions": lambda: _edited(lambda parts: [*parts, integer(3)]),
    "[4] behind extensions": lambda: _edited(lambda parts: [*parts, tlv(0xA4, integer(3))]),
    "two [3]": lambda: _edited(lambda parts: [*parts, parts[-1]]),
    "[1] behind extensions": lambda: _edited(lambda parts: [*parts, tlv(0x81, b"\0ab")]),
    "three times": lambda: _edited(lambda parts: [*parts[:4], seq(*_parts(parts[4]), LEAF.not_after), *parts[5:]]),
    "two versions": lambda: _edited(lambda parts: [tlv(0xA0, integer(2), integer(2)), *parts[1:]]),
    "attribute of three": lambda: _subject(oid("2.5.4.3"), tlv(12, b"x"), tlv(12, b"y")),
    "padded arc": lambda: _subject(tlv(6, b"\x55\x80\x04"), tlv(12, b"x")),
    "INTEGER as common name": lambda: _subject(oid("2.5.4.3"), integer(4)),
    "padded path length": lambda: LEAF.with_(forge.Extension(BASIC, seq(tlv(2, b"\0\0")))).signed_by(INT),
    "constraints in the wrong order": _swapped,
    "critical distribution points": lambda: LEAF.with_(forge.Extension(CRL_POINTS, b"xx", True)).signed_by(INT),
}


@pytest.mark.parametrize("label", FORMS)
def test_form_nobody_can_load(label: str, tmp_path: Path) -> None:
    """A certificate OpenSSL cannot load is unparseable, and that is its only error."""
    case = _case(FORMS[label]())
    assert [problem for problem in _problems(case) if problem.endswith(" e")] == BAD
    assert not openssl.verify(case, tmp_path)[0]


def test_signature_with_unused_bits(tmp_path: Path) -> None:
    """A signature is whole octets: one with unused bits is refused."""
    *front, signature = _parts(LEAF.signed_by(INT))
    case = _case(seq(*front, tlv(3, b"\1", signature[signature.index(b"\0\x30") + 1 :])))
    assert "cert-unparseable e" in _problems(case)
    assert not openssl.verify(case, tmp_path)[0]


@pytest.mark.parametrize("serial", [b"\0", b"\x80", b"\0" + b"\xff" * 20])
def test_odd_serials_stay_a_warning(serial: bytes, tmp_path: Path) -> None:
    """Zero, negative and long serials are only ill-formed, as OpenSSL has it."""
    case = _case(replace(LEAF, serial=serial).signed_by(INT))
    assert _problems(case) == ["cert-encoding w"]
    assert openssl.verify(case, tmp_path)[0]


def test_forms_that_are_allowed(tmp_path: Path) -> None:
    """Unique identifiers in their place and padded numbers in a key are no fault; distribution points may be unreadable."""
    case = _case(_edited(lambda parts: [*parts[:-1], tlv(0x81, b"\0ab"), tlv(0x82, b"\0ab"), parts[-1]]))
    assert _problems(case) == []
    assert openssl.verify(case, tmp_path)[0]
    case = _case(replace(LEAF, public=_rsa(integer(MODULUS), tlv(2, b"\0\3"))).signed_by(INT))
    assert _problems(case) == []
    assert openssl.verify(case, tmp_path)[0]
    assert _problems(_case(LEAF.with_(forge.Extension(CRL_POINTS, b"xx")).signed_by(INT))) == ["cert-encoding w"]


def test_two_lists_of_names_are_one_error(tmp_path: Path) -> None:
    """With subjectAltName twice nothing is said about which names match, whichever comes first."""
    for names in (("www.example.com", "b.example"), ("b.example", "www.example.com")):
        twice = replace(LEAF.without(forge.SAN), extensions=(*LEAF.without(forge.SAN).extensions, *map(san, names)))
        case = _case(twice.signed_by(INT))
        assert _problems(case) == BAD
        assert not openssl.verify(case, tmp_path)[0]


S1, S256 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1"
RSA_INT = replace(INT, private=forge.key("pss", "RSA2048"))


def _pss(declared: bytes, digest: hashes.HashAlgorithm, mask: hashes.HashAlgorithm, salt: int) -> bytes:
    """The leaf with these parameters declared and a signature made with those."""
    identifier = seq(oid(PSS), declared)
    parts = _parts(_parts(LEAF.signed_by(RSA_INT))[0])
    signed = seq(*parts[:2], identifier, *parts[3:])
    assert isinstance(RSA_INT.private, rsa.RSAPrivateKey)
    return seq(signed, identifier, bits(RSA_INT.private.sign(signed, padding.PSS(padding.MGF1(mask), salt), digest)))


def _declare(digest: str, mask: str, salt: int) -> bytes:
    function = seq(oid(MGF1), seq(oid(mask), tlv(5)))
    return seq(tlv(0xA0, seq(oid(digest), tlv(5))), tlv(0xA1, function), tlv(0xA2, integer(salt)))


SHA1, SHA256 = hashes.SHA1(), hashes.SHA256()
OFF_WEB, FAILED = "unsupported-alg w", "signature-failure e"
SIGNATURES = {
    "as browsers have it": (_declare(S256, S256, 32), SHA256, SHA256, 32, []),
    "mask SHA-1": (_declare(S256, S1, 32), SHA256, SHA1, 32, [OFF_WEB]),
    "salt 20": (_declare(S256, S256, 20), SHA256, SHA256, 20, [OFF_WEB]),
    "defaults for mask and salt": (seq(tlv(0xA0, seq(oid(S256), tlv(5)))), SHA256, SHA1, 20, [OFF_WEB]),
    "mask not as declared": (_declare(S256, S1, 32), SHA256, SHA256, 32, [FAILED, OFF_WEB]),
    "salt not as declared": (_declare(S256, S256, 20), SHA256, SHA256, 32, [FAILED, OFF_WEB]),
    "hash not as declared": (_declare(S1, S256, 32), SHA256, SHA256, 32, [FAILED, "weak-signature e"]),
    "all defaults": (seq(), SHA1, SHA1, 20, ["weak-signature e"]),
    "no parameters": (b"", SHA1, SHA1, 20, [FAILED, OFF_WEB]),
    "trailer 2": (seq(*_parts(_declare(S256, S256, 32)), tlv(0xA3, integer(2))), SHA256, SHA256, 32, [FAILED, OFF_WEB]),
}


@pytest.mark.parametrize("label", SIGNATURES)
def test_pss_parameters_count(label: str, tmp_path: Path) -> None:
    """Hash, mask hash and salt length are those declared; what does not fit is no signature."""
    declared, digest, mask, salt, expected = SIGNATURES[label]
    case = _case(_pss(declared, digest, mask, salt), RSA_INT.signed_by(ROOT))
    assert sorted(_problems(case)) == expected
    assert openssl.verify(case, tmp_path)[0] is not any(problem.endswith(" e") for problem in expected)


def test_pss_key_signs_with_pss_only(tmp_path: Path) -> None:
    """A key for RSASSA-PSS makes PSS signatures; a PKCS#1 v1.5 signature by it does not count (RFC 4055 1.2)."""
    public = seq(seq(oid(PSS)), bits(forge.key_octets(RSA_INT.private)))
    issuer = replace(RSA_INT, public=public).signed_by(ROOT)
    good, bad = _case(_pss(_declare(S256, S256, 32), SHA256, SHA256, 32), issuer), _case(LEAF.signed_by(RSA_INT), issuer)
    assert _problems(good) == [OFF_WEB]
    assert openssl.verify(good, tmp_path)[0]
    assert sorted(_problems(bad)) == [FAILED, OFF_WEB]
    assert not openssl.verify(bad, tmp_path)[0]
