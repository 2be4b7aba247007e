"""Who issued a certificate: by signature, over any order and source; which CA is public, private or unknown; pins."""

from dataclasses import replace

import pytest
from pki import ct_forge, forge
from pki.ct_forge import CA, OwnLog

from dnscertscan.ct.audit_issuers import Issuers, read_pins
from dnscertscan.errors import UsageError
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.parse import parse
from dnscertscan.pki.truststore import SYSTEM, TrustStore

LEAF_ONE = ct_forge.issue([OwnLog("one", "Op A")])
ISSUER = ct_forge.issuer_of()
ROOT_SPEC = forge.root_spec()
ROOT = Certificate(ROOT_SPEC.signed_by(ROOT_SPEC))
NAMESAKE = Certificate(replace(CA, private=forge.key("namesake")).signed_by(ROOT_SPEC))
OTHER = Certificate(forge.root_spec("Other root").signed_by(forge.root_spec("Other root")))


def store(name: str, *certificates: Certificate) -> TrustStore:
    return TrustStore(name, certificates)


def test_issuers_by_signature() -> None:
    """Sent, given or an anchor, in any order; one of the same name with another key is none."""
    found = Issuers([ISSUER], [store("public", ROOT)]).ancestry([LEAF_ONE])
    assert [facts.certificate for facts in found.direct] == [ISSUER]
    assert {facts.certificate for facts in found.all} == {ISSUER, ROOT}
    assert Issuers([]).ancestry([LEAF_ONE, NAMESAKE, ROOT, ISSUER]).keys == found.keys
    assert Issuers([NAMESAKE]).ancestry([LEAF_ONE]).all == ()
    assert Issuers([]).ancestry([Certificate(b"junk"), ISSUER]).all == ()


def test_a_loop_of_issuers_ends() -> None:
    """A self-signed certificate is its own issuer, once."""
    found = Issuers([ROOT], [store("public", ROOT)]).ancestry([ROOT])
    assert [facts.certificate for facts in found.all] == [ROOT]


def test_public_private_unknown() -> None:
    """By the anchor a way up leads to; this machine's own store makes no CA public."""
    chain = [LEAF_ONE, ISSUER]

    def word(public: list[TrustStore], private: list[TrustStore]) -> bool | None:
        issuers = Issuers([], public, private)
        return issuers.is_public(issuers.ancestry(chain))

    assert word([store("a", OTHER), store("b", ROOT)], []) is True
    assert word([store("a", ROOT)], [store("own", ROOT)]) is True
    assert word([store("a", OTHER)], [store("own", ROOT)]) is False
    assert word([store("a", OTHER)], [store("own", OTHER)]) is None
    assert word([store(SYSTEM, ROOT)], []) is None


def test_pins() -> None:
    """Digests in any spelling, files of several certificates; what is neither is refused."""
    digest = parse(ISSUER).key.digest.hex()
    files = {"ca.der": ISSUER.der, "empty.pem": b"", "junk.der": b"0\x03junk"}
    spelled = ":".join(digest[at : at + 2] for at in range(0, 64, 2)).upper()
    for text in (f"sha256:{digest}", f"SHA256:{spelled}", "ca.der"):
        assert read_pins([text], lambda path: files[str(path)]).keys == {digest}
    assert read_pins(["ca.der"], lambda path: files[str(path)]).certificates == (ISSUER,)
    assert read_pins([], lambda path: files[str(path)]).keys == frozenset()
    for text in ("sha256:", f"sha256:{digest}0", "empty.pem", "junk.der"):
        with pytest.raises(UsageError):
            read_pins([text], lambda path: files[str(path)])
