"""Keys that are slow to check use up the budget of signature checks sooner."""

import random
import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pki import forge
from pki.worlds import sound

from dnscertscan import diagnose
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.keys import parse_key
from dnscertscan.pki.parse import parse
from dnscertscan.pki.signatures import MAX_CHECKS, Budget


def _heavy_key(number: int, size: int = 16384) -> bytes:
    """SubjectPublicKeyInfo of a modulus nobody can factor, with the longest exponent that OpenSSL takes."""
    draw = random.Random(number)
    numbers = rsa.RSAPublicNumbers((1 << 63) | draw.getrandbits(62) | 1, (1 << (size - 1)) | draw.getrandbits(size - 2) | 1)
    return numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signed_at_length(leaf: forge.Spec, issuer: forge.Spec, octets: int) -> bytes:
    """The leaf with a signature of so many octets, which is nobody's."""
    facts = parse(Certificate(leaf.signed_by(issuer)))
    return forge.seq(facts.signed, facts.algorithm, forge.bits(bytes([1]) * octets))


def test_a_list_of_slow_keys_is_given_up_soon() -> None:
    """A hundred issuers with RSA keys of 16384 bits and long exponents: a few are checked, and the diagnosis says so."""
    issuer = forge.ca_spec(kind="RSA2048")
    heavy = [replace(issuer, public=_heavy_key(number), ski=None).signed_by(forge.root_spec()) for number in range(100)]
    chain = (_signed_at_length(replace(forge.leaf_spec(), aki=None), issuer, 2048), *heavy)
    root = forge.root_spec().signed_by(forge.root_spec())
    start = time.process_time()
    found = diagnose(chain, "www.example.com", (root,), forge.NOW)
    assert time.process_time() - start < 1.5
    assert not found.valid
    assert "stopped after" in next(problem.message for problem in found.problems if problem.slug == "chain-too-long")


@pytest.mark.parametrize(("kind", "effort"), [
    ("P-256", 1), ("P-384", 1), ("P-521", 1), ("secp256k1", 1), ("RSA2048", 1), ("RSA4096", 1), ("DSA", 1), ("Ed25519", 1),
])
def test_keys_in_use_count_once(kind: str, effort: int) -> None:
    """A chain of ordinary keys has the hundred checks it always had."""
    assert parse_key(forge.spki(forge.key("effort", kind))).effort == effort


def test_slow_keys_count_more() -> None:
    """In proportion to the time, and no key so much that a chain of two such CAs could not be judged."""
    efforts = [parse_key(_heavy_key(1, size)).effort for size in (4096, 4104, 8192, 8200, 16384)]
    assert efforts == [1, 4, 4, 9, 16]
    assert 3 * max(efforts) < MAX_CHECKS // 2 + 1


def test_the_budget_is_spent_by_effort_once_for_each_pair() -> None:
    """Asking again costs nothing; when it is used up, nobody knows."""
    heavy = [replace(forge.ca_spec(f"H{number}"), public=_heavy_key(number)).signed_by(forge.root_spec()) for number in range(9)]
    keys, child = [parse(Certificate(der)) for der in heavy], parse(Certificate(sound().build().chain[0]))
    budget = Budget()
    answers = [budget.is_signed(key, child) for key in (*keys, *keys)]
    assert answers == 2 * [False, False, False, False, False, False, False, None, None]
    assert budget.left <= 0
