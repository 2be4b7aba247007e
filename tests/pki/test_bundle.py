"""CA files as people have them."""

import pytest
from pki.changes import make
from pki.openssl import pem

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.bundle import read_chain
from dnscertscan.pki.parse import parse
from dnscertscan.pki.truststore import read_bundle

ROOT, OTHER = make().anchors[0], make("untrusted").anchors[0]


def test_pem_with_anything_between() -> None:
    """Text, blank lines, CRLF and indentation between and in blocks are fine; duplicates count once, order is kept."""
    data = b"# roots\r\n\r\n" + pem([ROOT]).replace(b"\n", b"\r\n") + b"Subject: \xe9\xff\n" + pem([OTHER, ROOT]) + b"end\n"
    assert read_bundle(data) == ((Certificate(ROOT), Certificate(OTHER)), ())


def test_der() -> None:
    """One certificate in DER."""
    assert read_bundle(ROOT) == ((Certificate(ROOT),), ())


def test_trusted_certificate_block() -> None:
    """OpenSSL's own block with trust settings behind the certificate."""
    block = pem([ROOT + b"\x30\x03\x0c\x01x"]).replace(b" CERT", b" TRUSTED CERT")
    assert read_bundle(block) == ((Certificate(ROOT),), ())


def test_private_key_is_named_with_its_line() -> None:
    """A private key in a CA file is a problem with a line number and a next step; certificates are still read."""
    data = pem([ROOT]) + b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"
    line = pem([ROOT]).count(b"\n") + 1
    found, problems = read_bundle(data)
    assert found == (Certificate(ROOT),)
    assert problems == (
        f"line {line}: private key in a file of certificates; remove it from there, and replace the key if others could read it",
    )


def test_each_bad_block_is_one_problem() -> None:
    """Broken base64, broken DER, a missing end and a block of another kind, each with its line."""
    blocks = [
        b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n", pem([ROOT]),
    ]
    found, problems = read_bundle(b"".join(blocks))
    assert found == (Certificate(ROOT),)
    assert [problem.split(":")[0] for problem in problems] == ["line 1", "line 4", "line 7", "line 10"]
    assert [
        next(words for words in ("not base64", "cannot be parsed", "no certificate", "no matching END") if words in problem)
        for problem in problems
    ] == ["not base64", "cannot be parsed", "no certificate", "no matching END"]


def test_nothing_in_it() -> None:
    """An empty file, random octets and text are said to hold no certificate."""
    for data in (b"", b"\0" * 1000, b"hello\n", b"\x30\x82\x01"):
        found, problems = read_bundle(data)
        assert found == ()
        assert problems[-1].startswith("no certificate in it")


def test_a_large_file_takes_linear_time() -> None:
    """Ten thousand opened blocks are ten thousand problems, not a hundred million steps."""
    found, problems = read_bundle(b"-----BEGIN CERTIFICATE-----\n" * 10_000)
    assert (found, len(problems)) == ((), 10_001)


@pytest.mark.parametrize("damage", ["base64", "end"])
def test_a_damaged_block_keeps_its_place_in_a_chain(damage: str) -> None:
    """What cannot be read is certificate 0; the one behind it stays certificate 1."""
    first = pem([ROOT])
    broken = first.replace(b"MI", b"*!", 1) if damage == "base64" else first.partition(b"-----END")[0]
    chain, problems = read_chain(b"text before\n" + broken + first)
    assert [parse(certificate).problem == "" for certificate in chain] == [False, True]
    assert chain[1] == Certificate(ROOT)
    assert [problem.split(":")[0] for problem in problems] == ["line 2"]
