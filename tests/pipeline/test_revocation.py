"""The work list of revocation lists: each URL once, the next place where the first gave nothing, no certificate forgotten."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from servers.judging import deployment, observed, target
from servers.lists import Revoked, crl, der, names_lists

from dnscertscan.checks.crl import Link
from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy, TrustMode
from dnscertscan.demo.authority import Authority
from dnscertscan.outside import Answer
from dnscertscan.pipeline.outside import _taking_turns
from dnscertscan.pipeline.revocation import Lists, list_urls
from dnscertscan.pki.crl import CrlStatus
from dnscertscan.pki.truststore import TrustStore

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ROOT = Authority.root("Lists Root", now=NOW)
ISSUER = ROOT.intermediate("Lists Issuer")
ONE, TWO, THREE = (f"http://crl.example/{number}.crl" for number in (1, 2, 3))
GOOD_LIST = crl(ISSUER)


def link(*urls: str, lifetime: timedelta = timedelta(days=90), **more: object) -> Link:
    """A certificate that names lists at ``urls``, and its issuer."""
    options = {"amend": names_lists(*urls)} if urls else {}
    start = NOW - timedelta(days=1)
    leaf = ISSUER.leaf("a.example", not_before=start, not_after=start + lifetime, **options, **more)
    return Link(der(leaf.certificate), der(ISSUER.certificate))


def test_each_url_is_asked_once_for_all_that_name_it() -> None:
    """One certificate's second place is another one's first: what is known is not asked again."""
    first, second, again = link(ONE, TWO), link(TWO, THREE), link(ONE, TWO)
    lists = Lists([first, second, again, first])
    assert lists.next_urls() == (ONE, TWO)
    assert lists.progress == (2, 3)
    assert lists.learn(Answer(ONE, problem="the server answered 404"), NOW) is None
    assert lists.learn(Answer(TWO, GOOD_LIST), NOW) == NOW + timedelta(days=3)
    assert lists.next_urls() == ()
    assert {verdict.status for verdict in lists.verdicts("").values()} == {CrlStatus.GOOD}


def test_the_next_place_is_asked_when_the_first_gives_nothing() -> None:
    """All reasons are told when none of the places helps."""
    one = link(ONE, TWO, THREE)
    lists = Lists([one])
    answers = {ONE: Answer(ONE, b"<html>"), TWO: Answer(TWO, crl(ROOT)), THREE: Answer(THREE, problem="no connection")}
    for url, answer in answers.items():
        assert lists.next_urls() == (url,)
        lists.learn(answer, NOW)
    assert lists.next_urls() == ()
    (verdict,) = lists.verdicts("").values()
    assert verdict.status is CrlStatus.UNUSABLE
    assert [url in verdict.why for url in answers] == [True, True, True]


def test_a_useless_answer_of_the_cache_is_no_reason() -> None:
    """It is fetched again first; only what is fetched counts."""
    lists = Lists([link(ONE)])
    lists.next_urls()
    assert lists.learn(Answer(ONE, b"", cached=True), NOW) is None
    assert lists.learn(Answer(ONE, GOOD_LIST), NOW) is not None
    assert [verdict.status for verdict in lists.verdicts("").values()] == [CrlStatus.GOOD]


def test_no_certificate_is_forgotten() -> None:
    """Not asked yet, no list named, only LDAP: unknown, with the reason."""
    cases = {"cut short": link(ONE), "names no revocation list": link(), "over HTTP": link("ldap://ldap.example/cn=CA")}
    lists = Lists(cases.values())
    told = lists.verdicts("the run was cut short")
    assert [words for words, one in cases.items() if words not in told[one.key].why] == []


@pytest.mark.parametrize("lifetime", [timedelta(days=6), timedelta(days=90)])
def test_certificates_that_need_no_list(lifetime: timedelta) -> None:
    """Short-lived ones need no list (Baseline Requirements 7.1.2.11.2), nor do those that say so (RFC 9608)."""
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.56"), b"\x05\x00")
    silent = link(lifetime=lifetime, amend=lambda builder: builder.add_extension(extension, critical=False))
    told = Lists([silent, link(lifetime=lifetime)]).verdicts("")
    assert len(told) == (1 if lifetime > timedelta(days=10) else 0)


def test_only_some_urls_are_asked() -> None:
    """HTTP only, four at most, each once."""
    urls = ["ldap://a/", ONE, ONE, *(f"http://crl.example/more{number}" for number in range(9))]
    assert len(list_urls(link(*urls).certificate)) == 4


def test_hosts_take_turns() -> None:
    """A host with a thousand lists does not keep the others waiting."""
    urls = ["http://a/1", "http://a/2", "http://A/3", "http://b/1", "http://c/1"]
    assert _taking_turns(urls) == ["http://a/1", "http://b/1", "http://c/1", "http://a/2", "http://A/3"]


def judge(*anchors: Authority) -> Judge:
    store = TrustStore("private bundle", [der(one.certificate) for one in anchors])
    return Judge(CheckPolicy(trust=TrustMode.PRIVATE), (), (store,), NOW)


def test_only_paths_to_an_anchor_count() -> None:
    """Leaf and intermediate of a trusted path; nothing of a chain nobody trusts, or with a forged signature."""
    one = link(ONE)
    seen = observed(target("a.example"), deployment(*one))
    assert list(judge(ROOT).links(seen)) == [one, Link(der(ISSUER.certificate), der(ROOT.certificate))]
    assert list(judge(Authority.root("Other", now=NOW)).links(seen)) == []
    forged = der(ROOT.intermediate("Lists Issuer").leaf("a.example", amend=names_lists(ONE)).certificate)
    assert list(judge(ROOT).links(observed(target("a.example"), deployment(forged, der(ISSUER.certificate))))) == []


def test_the_word_of_the_lists_changes_the_verdict() -> None:
    """Revoked: one error naming the certificate, and valid for no store. Learnt only after the first judgement."""
    one = link(ONE)
    seen = observed(target("a.example"), deployment(*one))
    judging = judge(ROOT)
    assert judging.valid(seen) == {"private bundle": True}
    lists = Lists(judging.links(seen))
    lists.next_urls()
    certificate = x509.load_der_x509_certificate(one.certificate.der)
    lists.learn(Answer(ONE, crl(ISSUER, Revoked(certificate, NOW - timedelta(days=2)))), NOW)
    judging.learn_revocation(lists.verdicts(""))
    assert judging.valid(seen) == {"private bundle": False}
    slugs = {finding.rule.slug: finding.certificate for finding in judging.endpoint(seen)}
    assert slugs["crl-revoked"].position == 0
    assert slugs["crl-unavailable"].position == 1
