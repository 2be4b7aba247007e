"""What logs and search services say changes the verdict on what is served; what concerns the run is said once."""

from dataclasses import replace

from pki.forge import DAY, NOW
from servers.ct_judging import (
    BUNDLE,
    GOOD,
    LATE,
    ONE,
    PLAIN,
    TWO,
    codes,
    embedded,
    facts_of,
    judge,
    logged,
    over,
    served,
    spoilt,
)
from servers.judging import target

from dnscertscan.model.ct import InclusionVerdict, Issuance, Sct, SctVerdict
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sighting, Sightings, Verdict, unavailable
from dnscertscan.model.transparency import CtFacts
from dnscertscan.pki.sct import verify
from dnscertscan.pki.tbs import tbs_sha256


def seen_by(leaf, *sources: str) -> CtFacts:
    """A search that has the issuance."""
    tbs = tbs_sha256(leaf)
    row = Issuance(
        tbs, None, None, "CN=Int", "CN=www.example.com", "112233", ("www.example.com",), NOW, NOW, None, sources[0], NOW, None,
        precert=True,
    )
    answers = tuple(SearchResult(source, DnsName("example.com"), Verdict.FOUND, as_of=NOW, complete=True) for source in sources)
    return CtFacts(sightings=Sightings({tbs: Sighting(row, sources)}, answers=answers, at=NOW))


def six(findings) -> list[str]:
    return [code for code in codes(findings) if "600" < code < "612"]


def test_questions_are_the_valid_scts_with_what_they_are_over() -> None:
    """Each once, however many targets show them; the entry is the one the log signed."""
    judging = judge()
    leaf = embedded(ONE.sct(over()), TWO.sct(over()), spoilt(ONE.sct(over())))
    found = list(judging.ct_questions(served(leaf)))
    assert [digest for digest, _, _ in found] == [leaf.sha256] * 2
    for _, result, entry in found:
        assert isinstance(result.sct, Sct)
        assert result.log is not None
        assert verify(result.sct, result.log, entry)[0] is SctVerdict.VALID
    assert list(judging.ct_questions(served(leaf, where=target(address="192.0.2.2")))) == []


def test_questions_by_the_other_deliveries() -> None:
    """Those are over the certificate itself."""
    found = list(judge().ct_questions(served(PLAIN, scts=LATE)))
    assert len(found) == 2
    assert all(verify(result.sct, result.log, entry)[0] is SctVerdict.VALID for _, result, entry in found)


def test_no_log_is_asked_about_a_private_ca() -> None:
    """Its names are no log's affair, unless it is logged on purpose."""
    assert list(judge(public=(), private=[BUNDLE]).ct_questions(served(GOOD))) == []
    assert len(list(judge(public=(), private=[BUNDLE], log_private=True).ct_questions(served(GOOD)))) == 2


def test_what_was_included_or_is_still_pending_is_well() -> None:
    """No word of either."""
    for verdict in (InclusionVerdict.INCLUDED, InclusionVerdict.PENDING):
        judging = judge()
        judging.learn_ct(facts_of(GOOD, judging, verdict))
        assert judging.endpoint(served(GOOD)) == ()
        assert judging.fleet([served(GOOD)]) == ()
        assert logged(judging, served(GOOD)) == ["logged"]


def test_a_broken_promise_is_told_of_the_certificate() -> None:
    """One finding with both logs; that no log has it leaves open whether it is logged."""
    judging = judge()
    assert judging.endpoint(served(GOOD)) == ()
    judging.learn_ct(facts_of(GOOD, judging, InclusionVerdict.NOT_INCLUDED, "not there by the tree head of 2026-06-03"))
    findings = judging.endpoint(served(GOOD))
    assert codes(findings) == ["608"]
    assert 'embedded SCT of log "log one", made at' in findings[0].message
    assert "not there by the tree head of 2026-06-03" in findings[0].message
    assert findings[0].ct == "unknown"
    assert judging.fleet([served(GOOD)]) == ()


def test_one_broken_promise_of_two() -> None:
    """The other log has it, or at least has promised: it is logged."""
    judging = judge()
    facts = facts_of(GOOD, judging, InclusionVerdict.NOT_INCLUDED)
    judging.learn_ct(replace(facts, inclusions={GOOD.sha256: facts.inclusions[GOOD.sha256][:1]}))
    (finding,) = judging.endpoint(served(GOOD))
    assert (codes([finding]), finding.ct) == (["608"], "logged")


def test_a_log_that_contradicts_itself_is_one_finding_for_the_run() -> None:
    """However many certificates have its SCTs; the certificates are not at fault. Evidence is named."""
    judging = judge()
    facts = facts_of(GOOD, judging, InclusionVerdict.MISBEHAVIOUR, "two tree heads of size 7", evidence="/var/x/fork.json")
    judging.learn_ct(facts)
    told = judging.fleet([served(GOOD), served(GOOD, where=target(address="192.0.2.2"))])
    assert codes(told) == ["609", "609"]
    assert [finding.subject.record for finding in told] == [
        'CT log "log one" (https://one.example/)', 'CT log "log two" (https://two.example/)'
    ]
    assert "two tree heads of size 7; 1 certificate served has SCTs of it; evidence: /var/x/fork.json;" in told[0].message
    assert len({finding.fingerprint for finding in told}) == 2


def test_a_log_that_does_not_answer_is_said_once() -> None:
    """Unknown is said, once for each log, not for each certificate, and changes no verdict."""
    judging = judge()
    facts = facts_of(GOOD, judging, InclusionVerdict.UNKNOWN, "HTTP 503")
    trouble = "CT log 'log one': whether it has 1 of the certificates it promised to log is not known: HTTP 503"
    judging.learn_ct(replace(facts, unasked=(trouble,)))
    assert judging.endpoint(served(GOOD)) == ()
    told = judging.fleet([served(GOOD)] * 3)
    assert codes(told) == ["610", "610"]
    assert 'whether CT log "log one" (https://one.example/) has what it promised: HTTP 503' in told[0].message
    assert logged(judging, served(GOOD)) == ["logged"]


def test_what_a_search_has_is_logged() -> None:
    """No SCT came with it, so browsers refuse it; that it is not logged would be wrong. The audit says who has it."""
    judging = judge()
    assert "601" in codes(judging.endpoint(served(PLAIN)))
    judging.learn_ct(seen_by(PLAIN, "crt.sh", "SSLMate"))
    findings = judging.endpoint(served(PLAIN))
    assert six(findings) == ["605", "606", "607"]
    assert {finding.ct for finding in findings} == {"logged"}
    (audit,) = judging.ct(served(PLAIN)).values()
    assert (str(audit.logged), audit.notes[-1]) == ("logged", "logged: seen by crt.sh, SSLMate")


def test_what_a_search_has_settles_what_the_handshake_left_open() -> None:
    """It is logged; whether browsers get SCTs is still not known."""
    judging = judge()
    judging.learn_ct(seen_by(PLAIN, "crt.sh"))
    (finding,) = judging.endpoint(served(PLAIN, scts=None))
    assert (codes([finding]), finding.ct) == (["610"], "logged")


def test_a_search_that_does_not_have_it_proves_nothing_against_scts() -> None:
    """Services lag behind; an SCT is the better evidence."""
    judging = judge()
    judging.learn_ct(seen_by(PLAIN, "crt.sh"))
    judging.learn_ct(CtFacts(sightings=Sightings(at=NOW)))
    assert judging.endpoint(served(GOOD)) == ()
    assert {finding.ct for finding in judging.endpoint(served(PLAIN))} == {"unknown"}


def test_judging_twice_says_the_same() -> None:
    """What is remembered changes nothing, and the thorough and the quick look agree."""
    judging = judge()
    for seen in (served(GOOD), served(PLAIN), served(PLAIN, scts=None), served(PLAIN, scts=LATE)):
        first, again, fresh = judging.look(seen), judging.look(seen), judge().look(seen)
        assert first == again == fresh
        assert [finding.ct for finding in first.findings] == [finding.ct for finding in fresh.findings]


def test_what_another_server_sends_counts_for_the_certificate() -> None:
    """One address sends its SCTs, the other does not: the certificate is logged, and the other's clients get no SCT."""
    judging, first, second = judge(), served(PLAIN, scts=LATE), served(PLAIN, where=target(address="192.0.2.2"))
    assert "601" in codes(judging.endpoint(second))
    assert judging.endpoint(first) == ()
    findings = judging.endpoint(second)
    assert six(findings) == ["605", "606", "607"]
    assert {finding.ct for finding in findings} == {"logged"}
    assert logged(judging, second) == ["logged"]


def searched(*answers: SearchResult) -> CtFacts:
    """A search that found nothing."""
    return CtFacts(sightings=Sightings(answers=answers, at=NOW))


def test_a_search_that_failed_leaves_it_open() -> None:
    """Wanted, and no answer: unknown, with the service's name, and not "not logged". Browsers refuse the certificate anyway."""
    domain, other = DnsName("example.com"), DnsName("example.net")
    judging = judge()
    for facts, why in (
        (searched(unavailable("crt.sh", domain, "HTTP 502"), unavailable("SSLMate", other, "late")), "no answer from crt.sh; "),
        (searched(SearchResult("crt.sh", domain, Verdict.ABSENT, as_of=NOW)), "none of them vouches for having everything; "),
        (searched(SearchResult("SSLMate", other, Verdict.ABSENT, as_of=NOW, complete=True)), "none of them vouches"),
        (searched(SearchResult("SSLMate", domain, Verdict.ABSENT, as_of=NOW - 30 * DAY, complete=True)), "none of them vouches"),
        (CtFacts(unasked=("what search services know of CT is unknown: no time was left",)), "no time was left; "),
    ):
        judging.learn_ct(facts)
        findings = judging.endpoint(served(PLAIN))
        assert six(findings) == ["605", "606", "607", "610"]
        assert "do not rule out that it is logged: " in findings[-1].message
        assert why in findings[-1].message
        assert {finding.ct for finding in findings} == {"unknown"}
        assert logged(judging, served(PLAIN)) == ["unknown"]
        assert judging.endpoint(served(GOOD)) == ()


def test_a_search_that_vouches_decides() -> None:
    """It has everything up to a time when this certificate would have been there, and has it not."""
    judging = judge()
    absent = SearchResult("SSLMate", DnsName("example.com"), Verdict.ABSENT, as_of=NOW, complete=True)
    judging.learn_ct(searched(absent, unavailable("crt.sh", DnsName("example.com"), "HTTP 502")))
    findings = judging.endpoint(served(PLAIN))
    assert six(findings) == ["601", "605", "606", "607"]
    assert {finding.ct for finding in findings} == {"not-logged"}
