"""The octets a log signs, cut out of certificates: the same for a precertificate and its certificate."""

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from pki import ct_forge, forge
from pki.ct_forge import CA, LEAF, POISONED, embedding, sct_list, tbs_of
from pki.forge import Spec

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki import der
from dnscertscan.pki.tbs import (
    extension_values,
    is_precertificate,
    is_signing_ca,
    precert_entry,
    precert_tbs,
    tbs_sha256,
)

LIST = embedding(sct_list([b"any octets"]))
PURPOSE = forge.eku(ct_forge.SIGNING_CA)
SIGNER = replace(forge.ca_spec("Signer"), private=forge.key("signer")).with_(PURPOSE)


def _certificate(spec: Spec, *extensions: forge.Extension, place: int | None = None, issuer: Spec = CA) -> Certificate:
    kept = list(spec.extensions)
    kept[len(kept) if place is None else place : 0 if place is None else place] = extensions
    return Certificate(replace(spec, extensions=tuple(kept)).signed_by(issuer))


def test_one_identity() -> None:
    """Certificate, precertificate, and the certificate without SCTs: one TBS, one hash, wherever the extension stands."""
    plain = _certificate(LEAF)
    expected = tbs_of(plain.der)
    assert precert_tbs(plain) == expected
    for place in range(len(LEAF.extensions) + 1):
        for extensions in ((LIST,), (POISONED,), (LIST, POISONED), (POISONED, LIST)):
            other = _certificate(LEAF, *extensions, place=place)
            assert other != plain
            assert precert_tbs(other) == expected
            assert tbs_sha256(other) == sha256(expected).hexdigest()


def test_other_issuances_have_other_identities() -> None:
    """Another serial, another key, another extension: another hash."""
    specs = (LEAF, replace(LEAF, serial=b"\x12"), replace(LEAF, private=forge.key("renewed")), LEAF.with_(forge.basic(False, 0)))
    assert len({tbs_sha256(_certificate(spec, LIST)) for spec in specs}) == len(specs)


@pytest.mark.parametrize("size", [10, 100, 127, 128, 200, 255, 256, 300, 65_000])
def test_lengths_are_written_anew(size: int) -> None:
    """Removing an extension of any size leaves lengths as DER has them; cryptography comes to the same octets."""
    certificate = _certificate(LEAF, embedding(sct_list([b"s" * (size - 2)])), place=1)
    assert precert_tbs(certificate) == tbs_of(_certificate(LEAF).der)
    assert precert_tbs(certificate) == x509.load_der_x509_certificate(certificate.der).tbs_precertificate_bytes


def test_the_only_extension() -> None:
    """An empty list of extensions stays, as cryptography, Go's logs and Chrome have it; and the precertificate has the same."""
    bare = replace(LEAF, extensions=(), aki=None, ski=None)
    final, precert = _certificate(bare, LIST), _certificate(bare, POISONED)
    assert precert_tbs(final) == precert_tbs(precert)
    assert precert_tbs(final).endswith(b"\xa3\x02\x30\x00")
    assert precert_tbs(final) == x509.load_der_x509_certificate(final.der).tbs_precertificate_bytes


def test_without_extensions_at_all() -> None:
    """A certificate of version 1 is its own TBS."""
    old = _certificate(replace(LEAF, version=1, extensions=()))
    assert precert_tbs(old) == tbs_of(old.der)


def test_a_precertificate_of_a_signing_ca() -> None:
    """Issuer and authorityKeyIdentifier become those that the final certificate has (RFC 6962 3.2)."""
    signer = Certificate(SIGNER.signed_by(CA))
    final = _certificate(LEAF, LIST, issuer=CA)
    precert = _certificate(LEAF, POISONED, issuer=SIGNER)
    assert is_signing_ca(signer)
    assert not is_signing_ca(ct_forge.issuer_of())
    assert precert_tbs(precert) != precert_tbs(final)
    # The signature algorithm inside is that of the signer; both have P-256 here.
    assert precert_tbs(precert, signer) == precert_tbs(final)
    assert tbs_sha256(precert, signer) == tbs_sha256(final)
    issuer = ct_forge.issuer_of()
    assert precert_entry(precert, issuer, signer) == precert_entry(final, issuer)


def test_a_signing_ca_and_a_missing_authority_key() -> None:
    """The identifier is taken away when the signing CA has none, and added when only the signing CA has one."""
    without = Certificate(replace(SIGNER, aki=None).signed_by(CA))
    precert = _certificate(LEAF, POISONED, issuer=SIGNER)
    assert precert_tbs(precert, without) == tbs_of(_certificate(replace(LEAF, aki=None), issuer=CA).der)
    bare = _certificate(replace(LEAF, aki=None), POISONED, issuer=SIGNER)
    assert precert_tbs(bare, Certificate(SIGNER.signed_by(CA))) == tbs_of(_certificate(LEAF, issuer=CA).der)


def test_issuer_key_hash() -> None:
    """Of the whole SubjectPublicKeyInfo; an issuer nobody can read is an error."""
    entry = precert_entry(_certificate(LEAF, LIST), ct_forge.issuer_of())
    assert entry.issuer_key_hash == sha256(forge.spki(CA.private)).digest()
    with pytest.raises(der.DerError):
        precert_entry(_certificate(LEAF, LIST), Certificate(b"junk"))


def test_poison_is_seen() -> None:
    """A precertificate is known by its poison."""
    assert is_precertificate(_certificate(LEAF, POISONED))
    assert not is_precertificate(_certificate(LEAF, LIST))
    assert extension_values(_certificate(LEAF, LIST, LIST), ct_forge.SCT_LIST) == (LIST.value, LIST.value)


def test_needlessly_long_lengths() -> None:
    """BER that some clients take is read, and left as it is where nothing is removed."""
    plain = _certificate(LEAF).der
    assert plain[:2] == b"\x30\x82"
    loose = Certificate(b"\x30\x83\0" + plain[2:])
    assert precert_tbs(loose) == tbs_of(plain)


WHOLE = _certificate(LEAF, LIST, POISONED).der


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.integers(0, len(WHOLE)))
@settings(max_examples=400, deadline=None)
def test_hostile_octets(place: int, octet: int, cut: int) -> None:
    """A certificate with a changed octet, or cut off: a TBS or a DerError, and the hash never raises."""
    for octets in (WHOLE[:place] + bytes([octet]) + WHOLE[place + 1 :], WHOLE[:cut]):
        certificate = Certificate(octets)
        try:
            found = sha256(precert_tbs(certificate)).hexdigest()
        except der.DerError:
            found = ""
        assert tbs_sha256(certificate) == found
