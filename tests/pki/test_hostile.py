"""Lists made to cost time or to break the reader: bounded, and always an answer."""

import time
from dataclasses import replace

import pytest
from pki import forge
from pki.changes import make
from pki.forge import NOW, Spec
from pki.worlds import Case, other_root

from dnscertscan import Diagnosis, diagnose

CASE = make()


def _timed(case: Case, limit: float) -> Diagnosis:
    start = time.process_time()
    found = diagnose(case.chain, case.name, case.anchors, case.at)
    assert time.process_time() - start < limit
    return found


def _look(*chain: bytes) -> Diagnosis:
    return diagnose(chain, CASE.name, CASE.anchors, NOW)


def _same_name(number: int, key: str) -> Spec:
    return replace(forge.ca_spec("Int"), private=forge.key(key), serial=(0x100 + number).to_bytes(2, "big"), aki=None, ski=None)


def test_empty_chain_and_empty_certificate() -> None:
    """No certificate and no octets are problems, not exceptions."""
    assert [(problem.slug, problem.certificate) for problem in _look().problems] == [("cert-unparseable", None)]
    (problem,) = _look(b"").problems
    assert (problem.slug, problem.certificate.position if problem.certificate else None) == ("cert-unparseable", 0)


def test_a_hundred_extra_certificates() -> None:
    """A hundred unrelated ones cost milliseconds and are one warning."""
    extra = [replace(other_root(), serial=bytes([1, number])).signed_by(other_root()) for number in range(150)]
    found = _timed(replace(CASE, chain=(*CASE.chain, *extra)), 1.0)
    assert found.valid
    (problem,) = found.problems
    assert problem.slug == "chain-extra-cert"
    assert "and 93 more" in problem.message
    assert "52 certificates after the first 100 were not looked at" in problem.message


def test_sixty_authorities_with_one_name_and_key() -> None:
    """Copies of one self-signed CA, each with its own serial, do not multiply paths."""
    leaf = replace(forge.leaf_spec(), aki=None)
    copies = [_same_name(number, "copies").signed_by(_same_name(number, "copies")) for number in range(1, 61)]
    chain = (leaf.signed_by(_same_name(1, "copies")), *copies)
    found = _timed(replace(CASE, chain=chain), 1.0)
    assert [problem.slug for problem in found.problems if problem.severity == "error"] == ["self-signed-in-chain"]


def test_sixty_authorities_that_sign_each_other() -> None:
    """One name, many keys, every one signed by every other: the search ends within its bounds."""
    keys = [f"mesh{number}" for number in range(8)]
    mesh = [
        _same_name(100 * upper + lower, keys[lower]).signed_by(_same_name(1, keys[upper]))
        for upper in range(8) for lower in range(8) if upper != lower
    ]
    leaf = replace(forge.leaf_spec(), aki=None).signed_by(_same_name(1, keys[0]))
    found = _timed(replace(CASE, chain=(leaf, *mesh)), 1.5)
    assert not found.valid


def test_wrong_keys_under_one_name() -> None:
    """A hundred candidates with the right name and the wrong key: at most a hundred signature checks, then an answer."""
    wrong = [_same_name(number, "wrong").signed_by(forge.root_spec()) for number in range(99)]
    leaf = replace(forge.leaf_spec(), aki=None).signed_by(forge.ca_spec())
    assert not _timed(replace(CASE, chain=(leaf, *wrong)), 1.0).valid


def test_long_chain() -> None:
    """A hundred certificates in a row are cut at ten intermediates."""
    line = [forge.leaf_spec(), *(forge.ca_spec(f"Line {number}") for number in range(99))]
    chain = tuple(spec.signed_by(line[min(index + 1, 99)]) for index, spec in enumerate(line))
    found = _timed(replace(CASE, chain=chain), 1.0)
    assert [problem.slug for problem in found.problems if problem.severity == "error"] == ["chain-too-long"]


def test_sixteen_megabytes() -> None:
    """A certificate of 16 MB, and a list of 16 MB of little ones."""
    whole = CASE.chain[0]
    huge = b"\x30\x84\x01\x00\x00\x00" + b"\0" * (16 << 20)
    assert [problem.slug for problem in _timed(replace(CASE, chain=(huge,)), 1.0).problems] == ["cert-unparseable"]
    many = (whole, *(b"\x30\x03\x02\x01" + bytes([number & 0x7F]) + number.to_bytes(4, "big") for number in range(200_000)))
    found = _timed(replace(CASE, chain=many), 5.0)
    assert {problem.slug for problem in found.problems} >= {"issuer-not-found", "chain-extra-cert", "cert-unparseable"}


def test_many_names_and_constraints() -> None:
    """Three thousand constraints times seven hundred names are looked up, not multiplied."""
    permitted = [forge.general(f"n{number}.example.com") for number in range(3000)]
    excluded = [forge.general(f"x{number}.example.net") for number in range(3000)]
    authority = forge.ca_spec().with_(forge.constraints(permitted, excluded))
    leaf = forge.leaf_spec().with_(forge.san(*(f"n{number}.example.com" for number in range(701))))
    chain = (leaf.signed_by(authority), authority.signed_by(forge.root_spec()))
    assert _timed(replace(CASE, chain=chain, name="n7.example.com"), 1.0).valid


def test_ten_thousand_names() -> None:
    """A leaf with 10 001 names is read to its last one."""
    leaf = forge.leaf_spec().with_(forge.san(*(f"h{number}.example.com" for number in range(10_001))))
    chain = (leaf.signed_by(forge.ca_spec()), CASE.chain[1])
    assert _timed(replace(CASE, chain=chain, name="h10000.example.com"), 1.0).valid


def test_every_cut_of_a_certificate_is_survived() -> None:
    """However a leaf is cut off, it is one unparseable certificate at position 0."""
    leaf = CASE.chain[0]
    for size in range(len(leaf)):
        errors = [problem for problem in _look(leaf[:size], *CASE.chain[1:]).problems if problem.severity == "error"]
        assert [(problem.slug, problem.certificate.position if problem.certificate else None) for problem in errors] == [
            ("cert-unparseable", 0)
        ]


def test_trailing_octets_and_needless_length_octets() -> None:
    """Octets behind the certificate make it unreadable, as in TLS clients; a length in long form is BER that OpenSSL takes."""
    leaf, issuer = CASE.chain
    assert [problem.slug for problem in _look(leaf + b"\0", issuer).problems] == ["cert-unparseable"]
    size = int.from_bytes(leaf[2:4], "big")
    assert leaf[:2] == b"\x30\x82"
    loose = b"\x30\x83" + size.to_bytes(3, "big") + leaf[4:]
    found = _look(loose, issuer)
    assert (found.valid, [problem.slug for problem in found.problems]) == (True, ["cert-encoding"])
    assert [problem.slug for problem in _look(b"\x30\x80" + leaf[4:] + b"\0\0", issuer).problems] == ["cert-unparseable"]


@pytest.mark.parametrize("position", [1, 2])
def test_an_unreadable_certificate_beside_the_path(position: int) -> None:
    """Beside a good path it is an error, as clients read the whole list; in place of the intermediate that is missing as well."""
    chain = [*CASE.chain]
    chain.insert(position, b"\x30\x03\x02\x01\x07")
    (problem,) = _look(*chain).problems
    assert (problem.slug, problem.severity) == ("cert-unparseable", "error")
    assert problem.certificate is not None
    assert problem.certificate.position == position
    errors = {(p.slug, p.severity) for p in _look(CASE.chain[0], CASE.chain[1][:-9]).problems}
    assert errors == {("issuer-not-found", "error"), ("cert-unparseable", "error")}
