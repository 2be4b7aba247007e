"""Issuers as CAs publish them: DER, PEM, PKCS #7; only the one that signed is taken."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from servers.lists import der

from dnscertscan.demo.authority import Authority, pem
from dnscertscan.pki.issuers import read_issuers

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROOT = Authority.root("Root", now=NOW)
ISSUER, TWIN = ROOT.intermediate("Issuer"), ROOT.intermediate("Issuer")
LEAF = der(ISSUER.leaf("a.example").certificate)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same certificate in every form that is published; the PKCS #7 ones by openssl."""
    folder: Path = tmp_path_factory.mktemp("issuers")
    bundle = pem([TWIN.certificate, ROOT.certificate, ISSUER.certificate])
    (folder / "all.pem").write_bytes(bundle)
    packed = {
        form: subprocess.run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", "all.pem", "-outform", form], cwd=folder,
                             capture_output=True, check=True).stdout
        for form in ("DER", "PEM")
    }
    return {"DER": ISSUER.certificate.public_bytes(Encoding.DER), "PEM": bundle, "p7c": packed["DER"], "p7b": packed["PEM"]}


@pytest.mark.parametrize("form", ["DER", "PEM", "p7c", "p7b"])
def test_every_form_is_read(files: dict[str, bytes], form: str) -> None:
    """The issuer is found among others, among them one of the same name with another key."""
    assert read_issuers(files[form], LEAF) == ((der(ISSUER.certificate),), "")


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "no certificate in it"), (b"<html>", "no certificate in it"),
        (pem([TWIN.certificate]), "not the certificate of the issuer"),
        (der(ROOT.certificate).der, "not the certificate of the issuer"), (b"\x30\x03\x06\x01\x2a", "not signed data"),
        (b"\x30\x80\x06", "cannot be read"), (b"-----BEGIN PKCS7-----\n!", "no certificate in it"),
    ],
)
def test_what_is_not_the_issuer_is_named(octets: bytes, words: str) -> None:
    """A web page, another certificate, another structure: one line saying so."""
    found, problem = read_issuers(octets, LEAF)
    assert found == ()
    assert words in problem


@given(st.binary(max_size=200))
def test_random_octets(octets: bytes) -> None:
    """Never an exception."""
    for data in (octets, b"\x30" + octets, b"-----BEGIN PKCS7-----" + octets):
        assert read_issuers(data, LEAF)[0] == ()
