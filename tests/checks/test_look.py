"""One look at an observation says what the two older functions say, whatever is served and however often it is asked."""

from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.judging import NOW, certificate, deployment, diagnosis, failed, observed, provenance, target

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy, ExpiringOverride, Threshold, TrustMode, TrustOverride
from dnscertscan.demo.authority import Authority, self_signed
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import ClientAuth, Deployment, Failure, FailureKind
from dnscertscan.pki.truststore import TrustStore

ROOT, OTHER = Authority.root("Look Root", now=NOW), Authority.root("Private Root", now=NOW)
ISSUING = ROOT.intermediate("Look CA")
NAMES = ("www.example.com", "mail.example.com", "www.other.test")
CHAINS = (
    certificate(*ISSUING.leaf("*.example.com").chain[:2]), certificate(ISSUING.leaf("*.example.com").certificate),
    certificate(OTHER.leaf("www.example.com", "www.other.test").certificate),
    certificate(self_signed("x.test", now=NOW).certificate), (Certificate(b"junk"),), (),
)


def _store(name: str, authority: Authority) -> TrustStore:
    return TrustStore(name, [Certificate(authority.certificate.public_bytes(Encoding.DER))])


PUBLIC = (_store("one", ROOT), _store("two", ROOT), TrustStore("three", ()))
PRIVATE = (_store("private", OTHER),)
POLICIES = (
    CheckPolicy(), CheckPolicy(trust=TrustMode.EITHER, fail_on_unreachable=True), CheckPolicy(trust=TrustMode.PUBLIC),
    CheckPolicy(trust_overrides=(TrustOverride("other.test", TrustMode.PRIVATE),), expiring=Threshold(days=90)),
    CheckPolicy(expiring_overrides=(ExpiringOverride(Threshold(days=3000), zone="other.test"),)),
)
SERVED = st.lists(
    st.tuples(st.sampled_from(CHAINS), st.booleans(), st.sampled_from([None, None, b"", b"x"])), max_size=3,
)
MORE = st.sampled_from(({}, {"protocol": "TLSv1"}, {"client_auth": ClientAuth.REQUIRED}, {
    "engine_failure": Failure(FailureKind.ENGINE, "died"),
}))
SHOWN = st.tuples(st.sampled_from(NAMES), SERVED, MORE)


def _observation(name: str, served, more):
    where = target(name, "192.0.2.1", 443, provenance(name, zone=name.partition(".")[2]))
    lists = [Deployment(chain, (str(place),), sni, staple) for place, (chain, sni, staple) in enumerate(served)]
    return observed(where, *lists, **more)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(POLICIES), st.lists(SHOWN, min_size=1, max_size=6), st.booleans())
def test_a_look_is_both_and_depends_on_no_other(policy, shown, learn) -> None:
    """A judge that has looked at much says of each what one says that has looked at nothing else."""
    seen = [_observation(*one) for one in shown]
    busy = Judge(policy, PUBLIC, PRIVATE, NOW)
    for _ in range(2):
        for observation in seen:
            fresh = Judge(policy, PUBLIC, PRIVATE, NOW)
            if learn:
                busy.learn(seen)
                fresh.learn(seen)
            assert fresh.endpoint(observation) == busy.endpoint(observation)
            assert fresh.valid(observation) == busy.valid(observation)
            looked = busy.look(observation)
            assert (looked.findings, looked.valid) == (fresh.endpoint(observation), fresh.valid(observation))


def test_a_failure_has_findings_where_the_policy_asks_and_no_verdicts() -> None:
    """Nothing was served, so no store has a word."""
    away = failed(target(), Failure(FailureKind.REFUSED, "x"))
    looked = Judge(CheckPolicy(fail_on_unreachable=True), PUBLIC, (), NOW).look(away)
    assert [finding.rule.slug for finding in looked.findings] == ["conn-refused"]
    assert looked.valid == {}
    assert Judge(CheckPolicy(), PUBLIC, (), NOW).look(away).findings == ()


def test_a_crash_is_found_once_and_leaves_no_verdict() -> None:
    """The quick look gives up silently, the thorough one says it."""

    def examine(chain, name, stores, at, *, known=(), staple=None, public=True):
        if chain[0].der == b"bad":
            raise ZeroDivisionError
        return diagnosis()

    judge = Judge(CheckPolicy(), PUBLIC, (), NOW, examine=examine)
    looked = judge.look(observed(target(), deployment(), deployment(Certificate(b"bad"))))
    assert [finding.rule.slug for finding in looked.findings] == ["check-crashed"]
    assert looked.valid == {}
    assert judge.look(observed(target(), deployment())).valid == {"public": True}
