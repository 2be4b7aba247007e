"""What a chain made to be expensive may cost, and that decoys do not use up what the right issuers need."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from pki import forge
from pki.changes import make
from pki.forge import Spec, constraints, general, san, tlv
from pki.openssl import verify
from pki.worlds import Case

from dnscertscan import Diagnosis, diagnose

CASE = make()
ROOT, INT, LEAF = forge.root_spec(), forge.ca_spec(), forge.leaf_spec()
ROOT_DER, INT_DER = ROOT.signed_by(ROOT), INT.signed_by(ROOT)
NAME = "www.example.com"
MANY_SECONDS = 3.0


def _within(case: Case) -> Diagnosis:
    start = time.process_time()
    found = diagnose(case.chain, case.name, case.anchors, case.at)
    assert time.process_time() - start < MANY_SECONDS
    return found


def _constrained(authority: Spec, leaf: Spec) -> Case:
    return replace(CASE, chain=(leaf.signed_by(authority), authority.signed_by(ROOT)), anchors=(ROOT_DER,), name=NAME)


def _address(number: int) -> bytes:
    return (0x80000001 + 2 * number).to_bytes(4, "big")


def _masks(count: int) -> list[bytes]:
    return [tlv(0x87, bytes(4), _address(number)) for number in range(count)]


def _addresses(count: int) -> Spec:
    return LEAF.with_(san(NAME, *(tlv(0x87, _address(number)) for number in range(count))))


@pytest.mark.parametrize("side", ["permitted", "excluded"])
def test_too_many_masks_and_addresses_are_refused_by_name(side: str, tmp_path: Path) -> None:
    """Four thousand masks times four thousand addresses are not compared: an error on the leaf says so, as OpenSSL refuses."""
    case = _constrained(INT.with_(constraints(**{side: _masks(4000)})), _addresses(4000))
    found = _within(case)
    problem = next(problem for problem in found.problems if problem.slug == f"nc-{side}")
    assert (found.valid, problem.severity, problem.certificate and problem.certificate.position) == (False, "error", 0)
    assert "too many names and constraints to compare: 16004000 comparisons" in problem.message
    assert not verify(case, tmp_path)[0]


def test_many_masks_within_the_bound_are_compared(tmp_path: Path) -> None:
    """A few hundred masks times a few hundred addresses are compared, and the one address inside is found, or none."""
    spread = [tlv(0x87, bytes(4), (0xFF000000 + number).to_bytes(4, "big")) for number in range(400)]
    inside = LEAF.with_(san(NAME, *(tlv(0x87, bytes([10, 0, 1, number % 256])) for number in range(400)), "0.255.0.0"))
    outside = LEAF.with_(san(NAME, *(tlv(0x87, bytes([10, 0, 1, number % 256])) for number in range(400))))
    for leaf, accepted in ((inside, False), (outside, True)):
        case = _constrained(INT.with_(constraints(excluded=spread)), leaf)
        assert (_within(case).valid, verify(case, tmp_path)[0]) == (accepted, accepted)


def test_too_many_directories_are_refused_by_name() -> None:
    """Directory names and their subtrees count like addresses."""
    bases = [tlv(0xA4, forge.name(f"Base {number}")) for number in range(1500)]
    case = _constrained(INT.with_(constraints(excluded=bases)), LEAF.with_(san(NAME, *bases[:1400])))
    found = _within(case)
    assert not found.valid
    assert [problem.slug for problem in found.problems if "too many names and constraints" in problem.message] == ["nc-excluded"]


def test_long_names_below_many_constraints_on_many_paths() -> None:
    """Sixty ways up over nine constrained CAs with deep names: every pair is compared once, and all within one bound."""
    deep = ["a." * 100 + f"x{number}.tld" for number in range(380)]
    limits = constraints(excluded=[general("zzz.invalid", 0x82)])
    line = [LEAF.with_(san(NAME, *deep)), *(forge.ca_spec(f"H{number}").with_(san(*deep), limits) for number in range(9))]
    top, unknown = forge.ca_spec("TOP"), forge.ca_spec("UNK")
    built = [spec.signed_by(upper) for spec, upper in zip(line, [*line[1:], top], strict=True)]
    tops = [replace(top, serial=bytes([5, number])).signed_by(unknown) for number in range(60)]
    found = _within(replace(CASE, chain=(*built, *tops), anchors=(ROOT_DER,), name=NAME))
    assert "issuer-not-found" in {problem.slug for problem in found.problems}
    assert not found.valid


def test_one_leaf_under_sixty_constrained_issuers() -> None:
    """Copies of one CA, each with constraints of its own: the bound is for all of them together, and the answer is no."""
    names = [f"n{number}.a.b.c.example.com" for number in range(3000)]
    copies = [
        replace(INT, serial=bytes([5, number])).with_(constraints(excluded=[general(f"z{number}.invalid", 0x82)]))
        .signed_by(forge.ca_spec("UNK")) for number in range(60)
    ]
    found = _within(replace(CASE, chain=(LEAF.with_(san(NAME, *names)).signed_by(INT), *copies), anchors=(ROOT_DER,), name=NAME))
    assert not found.valid


def _decoys(spec: Spec, count: int, *, silent: bool = False) -> list[Spec]:
    """The same name with other keys; ``silent`` ones have no subjectKeyIdentifier."""
    ski = None if silent else b""
    return [replace(spec, private=forge.key(f"decoy{number}"), ski=ski) for number in range(count)]


@pytest.mark.parametrize(("roots", "issuers"), [(110, 0), (60, 60), (110, 98), (0, 98)])
def test_decoys_of_other_key_identifiers(roots: int, issuers: int, tmp_path: Path) -> None:
    """Anchors and sent CAs of the right name and other keys cost no signature checks: the right ones, last, are found."""
    anchors = (*(decoy.signed_by(decoy) for decoy in _decoys(ROOT, roots)), ROOT_DER)
    sent = [decoy.signed_by(ROOT) for decoy in _decoys(INT, issuers)]
    case = replace(CASE, chain=(LEAF.signed_by(INT), *sent, INT_DER), anchors=anchors, name=NAME)
    assert (_within(case).valid, verify(case, tmp_path)[0]) == (True, True)


def test_decoys_without_key_identifier() -> None:
    """Those that say nothing are looked at after those that the key identifier names."""
    silent = [replace(decoy, aki=None) for decoy in _decoys(ROOT, 110, silent=True)]
    anchors = (*(decoy.signed_by(decoy) for decoy in silent), ROOT_DER)
    sent = [decoy.signed_by(ROOT) for decoy in _decoys(INT, 98, silent=True)]
    assert _within(replace(CASE, chain=(LEAF.signed_by(INT), *sent, INT_DER), anchors=anchors, name=NAME)).valid


def test_only_decoys(tmp_path: Path) -> None:
    """Where every candidate has another key identifier, the issuer is missing, and no bound is to blame."""
    anchors = tuple(decoy.signed_by(decoy) for decoy in _decoys(ROOT, 110))
    case = replace(CASE, chain=(LEAF.signed_by(INT), INT_DER), anchors=anchors, name=NAME)
    found = _within(case)
    assert [problem.slug for problem in found.problems if problem.severity == "error"] == ["issuer-not-found"]
    assert (found.valid, verify(case, tmp_path)[0]) == (False, False)


def test_a_dead_end_leaves_checks_for_the_other_way() -> None:
    """A cross-signed copy that leads among decoys does not use up what the way to the anchor needs."""
    other = forge.root_spec("Other Root")
    crossed = replace(INT, serial=b"\x05").signed_by(replace(other, private=forge.key("lost")))
    anchors = (*(decoy.signed_by(decoy) for decoy in _decoys(other, 110)), ROOT_DER)
    assert _within(replace(CASE, chain=(LEAF.signed_by(INT), crossed, INT_DER), anchors=anchors, name=NAME)).valid


def test_a_signer_that_the_serial_speaks_against_is_still_named() -> None:
    """The right key under another serial than authorityKeyIdentifier gives: refused, and told as that."""
    issuer = forge.seq(tlv(0x80, forge.key_id(ROOT.private)), tlv(0xA1, tlv(0xA4, ROOT.subject)), tlv(0x82, b"\x77"))
    case = replace(CASE, chain=(LEAF.signed_by(INT), replace(INT, aki=issuer).signed_by(ROOT)), anchors=(ROOT_DER,), name=NAME)
    errors = [problem for problem in _within(case).problems if problem.severity == "error"]
    assert [problem.slug for problem in errors] == ["issuer-not-found"]
    assert "OpenSSL stops" in errors[0].message
