"""Which trust stores decide: public, private, either, and what the zone's policy asks for."""

import pytest
from servers.judging import NOW, deployment, diagnosis, observed, ref, target

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy, TrustMode, TrustOverride
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.truststore import TrustStore

WHERE = target()
PUBLIC = (TrustStore("Mozilla", ()), TrustStore("Java", ()))
PRIVATE = (TrustStore("private bundle", ()),)
UNKNOWN = Fault("issuer-not-found", "unable to get local issuer certificate", ref())
EXPIRED = Fault("cert-expired", "certificate has expired", ref())
ORDER = Fault("chain-order", "certificate chain does not have valid order", None)


def verdict(*faults, ok, stores):
    return diagnosis(*faults, valid_for=dict.fromkeys([store.name for store in stores], ok))


def judged(mode, *, public, private, stores=(PUBLIC, PRIVATE), overrides=()):
    """Slugs found and the verdicts, when the public and the private stores say this."""
    asked = []

    def examine(chain, name, stores, at, *, known=(), staple=None, public=True, said=(private, public)):
        asked.append(public)
        return said[public]

    judge = Judge(CheckPolicy(trust=mode, trust_overrides=overrides), *stores, NOW, examine=examine)
    seen = observed(WHERE, deployment())
    findings = judge.endpoint(seen)
    return [finding.rule.slug for finding in findings], judge.valid(seen), findings


GOOD_PUBLIC, BAD_PUBLIC = verdict(ok=True, stores=PUBLIC), verdict(UNKNOWN, ok=False, stores=PUBLIC)
GOOD_PRIVATE, BAD_PRIVATE = verdict(ok=True, stores=PRIVATE), verdict(UNKNOWN, ok=False, stores=PRIVATE)


def test_a_private_bundle_replaces_the_public_stores() -> None:
    """No word of the public stores when the bundle accepts the chain."""
    slugs, valid, _ = judged(None, public=BAD_PUBLIC, private=GOOD_PRIVATE)
    assert slugs == []
    assert valid == {"private bundle": True}


def test_without_bundle_the_public_stores_decide() -> None:
    """The default for everybody."""
    slugs, valid, _ = judged(None, public=BAD_PUBLIC, private=GOOD_PRIVATE, stores=(PUBLIC, ()))
    assert slugs == ["issuer-not-found"]
    assert valid == {"Mozilla": False, "Java": False}


def test_a_public_certificate_where_a_private_one_is_asked_for() -> None:
    """Both are said: no path to the bundle, and that the public stores trust it."""
    slugs, valid, findings = judged(TrustMode.PRIVATE, public=GOOD_PUBLIC, private=BAD_PRIVATE)
    assert slugs == ["issuer-not-found", "trust-policy"]
    assert valid == {"private bundle": False}
    assert findings[1].message == (
        "certificate comes from a public CA, the trust policy of the zone asks for a private CA: "
        "trusted by Mozilla, Java, no path to private bundle"
    )


def test_a_private_certificate_where_a_public_one_is_asked_for() -> None:
    """The reverse, also when the certificate has other problems."""
    found = verdict(EXPIRED, ok=False, stores=PRIVATE)
    slugs, _, findings = judged(TrustMode.PUBLIC, public=BAD_PUBLIC, private=found)
    assert slugs == ["issuer-not-found", "trust-policy"]
    words = "certificate comes from a private CA, the trust policy of the zone asks for a public CA: "
    assert findings[1].message == f"{words}trusted by private bundle, no path to Mozilla, Java"


@pytest.mark.parametrize("mode", [TrustMode.PUBLIC, TrustMode.PRIVATE])
def test_a_certificate_nobody_trusts_is_no_matter_of_policy(mode) -> None:
    """One problem, one finding."""
    assert judged(mode, public=BAD_PUBLIC, private=BAD_PRIVATE)[0] == ["issuer-not-found"]


@pytest.mark.parametrize("mode", [TrustMode.PUBLIC, TrustMode.PRIVATE])
def test_an_expired_certificate_of_the_right_ca_is_no_matter_of_policy(mode) -> None:
    """The path decides where it comes from, not the dates."""
    found = {"public": verdict(EXPIRED, ok=False, stores=PUBLIC), "private": verdict(EXPIRED, ok=False, stores=PRIVATE)}
    assert judged(mode, **found)[0] == ["cert-expired"]


def test_trusted_by_some_public_stores_is_public() -> None:
    """A disagreement among the public stores does not make a CA private."""
    partly = verdict(Fault("issuer-not-found", "x", ref(), stores=("Java",)), ok=False, stores=PUBLIC)
    assert judged(TrustMode.PUBLIC, public=partly, private=GOOD_PRIVATE)[0] == ["issuer-not-found"]


@pytest.mark.parametrize(
    ("public", "private", "expected"),
    [
        (BAD_PUBLIC, GOOD_PRIVATE, []),
        (GOOD_PUBLIC, BAD_PRIVATE, []),
        (GOOD_PUBLIC, verdict(ORDER, ok=True, stores=PRIVATE), ["chain-order"]),
        (BAD_PUBLIC, verdict(EXPIRED, ok=False, stores=PRIVATE), ["cert-expired"]),
        (verdict(EXPIRED, ok=False, stores=PUBLIC), BAD_PRIVATE, ["cert-expired"]),
        (BAD_PUBLIC, BAD_PRIVATE, ["issuer-not-found"]),
    ],
)
def test_either_takes_the_word_that_helps(public, private, expected) -> None:
    """Accepted by the bundle or by all public stores; when by neither, the faults of the path that exists."""
    slugs, valid, _ = judged(TrustMode.EITHER, public=public, private=private)
    assert slugs == expected
    assert valid == {**public.valid_for, **private.valid_for}


def test_zones_may_differ() -> None:
    """The override of the target's zone decides, not the general mode."""
    overrides = (TrustOverride("example.com", TrustMode.PRIVATE),)
    assert judged(TrustMode.PUBLIC, public=BAD_PUBLIC, private=GOOD_PRIVATE, overrides=overrides)[0] == []
