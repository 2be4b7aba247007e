"""Whose certificate it is, when it is valid and by which list it is judged: all decide what CT has to say of it."""

from dataclasses import replace

import pytest
from pki import ct_forge
from pki.ct_forge import CA, sct_list
from pki.forge import DAY, NOW
from servers.ct_judging import (
    BUNDLE,
    ELSEWHERE,
    GOOD,
    ISSUER,
    LATE,
    LIST,
    ONE,
    PLAIN,
    ROOT,
    STORE,
    STRANGER,
    THREE,
    TWO,
    WHERE,
    codes,
    days_from,
    embedded,
    judge,
    logged,
    over,
    served,
    shown,
    spoilt,
)
from servers.judging import observed

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import LogState
from dnscertscan.pki.truststore import SYSTEM, TrustStore


@pytest.mark.parametrize("leaf", [PLAIN, embedded(spoilt(ONE.sct(over()))), embedded(STRANGER.sct(over()))])
def test_a_private_ca_needs_no_scts(leaf: Certificate) -> None:
    """Nothing is said of its certificates, whatever they carry; where it is logged on purpose it is held to the same."""
    seen = served(leaf)
    assert judge(public=(), private=[BUNDLE]).endpoint(seen) == ()
    assert logged(judge(public=(), private=[BUNDLE]), seen) == ["unknown"]
    assert "605" in codes(judge(public=(), private=[BUNDLE], log_private=True).endpoint(seen))
    assert judge(public=[ELSEWHERE], private=[BUNDLE]).endpoint(seen) == ()


def test_the_word_for_a_private_certificate() -> None:
    """Other findings of the same target carry it."""
    (finding,) = judge(public=(), private=[BUNDLE]).endpoint(served(Certificate(days_from(85, 90).signed_by(CA))))
    assert (finding.rule.slug, finding.ct) == ("cert-expiring", "private")


def test_a_ca_in_a_public_and_in_the_private_store_is_public() -> None:
    """Only a chain that leads to private anchors alone is private."""
    judging = judge(public=[STORE], private=[BUNDLE])
    assert "601" in codes(judging.endpoint(served(PLAIN)))


def test_a_certificate_of_nobody() -> None:
    """A chain that leads nowhere has that problem; without SCTs CT has nothing to add."""
    findings = judge(public=[ELSEWHERE]).endpoint(served(PLAIN))
    assert [code for code in codes(findings) if code.startswith("6")] == []
    assert {finding.ct for finding in findings} == {"unknown"}


def test_a_missing_issuer_is_said_and_found_elsewhere() -> None:
    """Embedded SCTs cannot be checked without the issuer's key; another target that sends it settles the matter."""
    judging = judge()
    alone = observed(WHERE, shown(GOOD))
    findings = judging.endpoint(alone)
    assert codes(findings) == ["201", "610"]
    reason = "issuer missing: its certificate was not sent and is not known from elsewhere"
    assert f"2 SCTs cannot be checked: {reason}" in findings[1].message
    assert logged(judging, alone) == ["unknown"]
    judging.learn([served(PLAIN)])
    assert codes(judging.endpoint(alone)) == ["201"]
    assert {finding.ct for finding in judging.endpoint(alone)} == {"logged"}
    assert logged(judging, alone) == ["logged"]


@pytest.mark.parametrize("start", [100, -5])
def test_outside_its_validity_nobody_asks_for_scts(start: int) -> None:
    """Clients refuse it before they get that far; its SCTs are still looked at."""
    spec = days_from(start, 90)
    findings = judge().endpoint(served(Certificate(spec.signed_by(CA))))
    assert [code for code in codes(findings) if code.startswith("6")] == []
    bad = embedded(spoilt(ONE.sct(over(spec))), spec=spec)
    assert [code for code in codes(judge().endpoint(served(bad))) if code.startswith("6")] == ["602"]


@pytest.mark.parametrize(("days", "expected"), [(200, []), (201, ["611"])])
def test_a_validity_over_the_cap_of_its_day(days: int, expected: list[str]) -> None:
    """200 days from 2026-03-15 on, both ends counted; it takes the place of the rule that warns without CT."""
    leaf = ct_forge.issue([ONE, TWO, THREE], days_from(30, days))
    findings = judge().endpoint(served(leaf))
    assert codes(findings) == expected
    if expected:
        assert "valid for 201 days, at most 200 are allowed from 2026-03-15 on" in findings[0].message
        without = Judge(CheckPolicy(), [STORE], (), NOW)
        assert codes(without.endpoint(served(leaf))) == ["104"]
        assert judge(public=(), private=[BUNDLE]).endpoint(served(leaf)) == ()


def test_without_ct_nothing_is_looked_at() -> None:
    """No policy, no finding, no word, no question."""
    judging = Judge(CheckPolicy(), [STORE], (), NOW)
    assert judging.endpoint(served(PLAIN)) == ()
    assert judging.ct(served(PLAIN)) == {}
    assert list(judging.ct_questions(served(GOOD))) == []
    (finding,) = judging.endpoint(served(Certificate(days_from(85, 90).signed_by(CA))))
    assert finding.ct == ""


def test_what_one_handshake_proves_holds_for_the_certificate() -> None:
    """One leaf in two lists, one of them with SCTs in the handshake: it is logged, and only that list's clients are content."""
    bare = shown(PLAIN, ISSUER, ISSUER, how="TLS 1.2 RSA")
    findings = judge().endpoint(observed(WHERE, bare, shown(PLAIN, ISSUER, scts=LATE)))
    told = [finding for finding in findings if finding.rule.code.startswith("DCS6")]
    assert codes(told) == ["605", "606", "607"]
    assert all(finding.message.endswith("(only on TLS 1.2 RSA)") for finding in told)
    assert {finding.ct for finding in findings} == {"logged"}


def test_what_clients_without_sni_get_is_nobodys_affair() -> None:
    """No audit of it."""
    judging = judge()
    seen = observed(WHERE, shown(GOOD, ISSUER), replace(shown(PLAIN, ISSUER, how="no SNI"), sni=False))
    assert judging.endpoint(seen) == ()
    assert list(judging.ct(seen)) == [GOOD.sha256]


def test_apples_own_list_decides_about_apples_policy() -> None:
    """A log that Apple does not have counts for nothing there."""
    findings = judge(apple=ct_forge.list_of(ONE, THREE)).endpoint(served(GOOD))
    assert codes(findings) == ["606"]
    assert judge(apple=LIST).endpoint(served(GOOD)) == ()


def test_all_static_is_apples_doubt_and_no_finding() -> None:
    """What Apple's policy is today nobody knows: the audit says so, and no certificate is suspected for it."""
    other = replace(TWO, label="four", operator="Op C")
    judging = judge(logs=ct_forge.list_of(TWO, other))
    seen = served(ct_forge.issue([TWO, other]))
    assert judging.endpoint(seen) == ()
    (audit,) = judging.ct(seen).values()
    assert [policy.compliant for policy in audit.policies] == [True, None, True]
    assert judging.fleet([seen]) == ()


def test_a_log_whose_state_is_not_known_leaves_the_policy_open() -> None:
    """It is about the list, so it is said once for the run."""
    later = replace(TWO, states=((LogState.USABLE, NOW + DAY),))
    judging = judge(logs=ct_forge.list_of(ONE, later))
    assert judging.endpoint(served(GOOD)) == ()
    (told,) = judging.fleet([served(GOOD), served(GOOD)])
    assert codes([told]) == ["610"]
    assert "does not tell the state of every log now; verdicts on 1 certificate hang on it" in told.message


def test_octets_that_are_no_certificate() -> None:
    """Another rule says what is wrong with them; CT has no verdict, and the rest of the judgement stands."""
    findings = judge().endpoint(served(Certificate(b"leaf")))
    assert "218" in codes(findings)
    assert [code for code in codes(findings) if code[0] in "69"] == []


def test_scts_over_something_else_prove_nothing() -> None:
    """Good SCTs for another certificate in the TLS extension: a file that was not replaced with it."""
    other = ct_forge.x509_entry(GOOD.der)
    findings = judge().endpoint(served(PLAIN, scts=sct_list([ONE.sct(other), TWO.sct(other)])))
    assert codes(findings) == ["601", "602", "605", "606", "607"]
    assert 'SCT in the TLS extension of log "log one"' in findings[1].message
    assert findings[0].ct == "not-logged"


def test_an_anchor_of_this_machine_alone_is_not_public() -> None:
    """The administrator of the scanner may have installed a company's own CA: browsers ask no SCTs of those."""
    machine = TrustStore(SYSTEM, [ROOT])
    findings = judge(public=[ELSEWHERE, machine]).endpoint(served(PLAIN))
    assert [code for code in codes(findings) if code.startswith("6")] == []
    assert {finding.ct for finding in findings} == {"unknown"}
    assert "601" in codes(judge(public=[STORE, machine]).endpoint(served(PLAIN)))
    assert judge(public=[ELSEWHERE, machine], private=[BUNDLE]).endpoint(served(PLAIN)) == ()


def test_a_fault_of_the_audit_costs_the_audit_alone() -> None:
    """It is reported as such; what else is wrong is still found, and CT says nothing of the certificate."""

    class Broken(dict):
        def get(self, key, default=None):
            raise RuntimeError(key)

    judging = judge(logs=replace(LIST, logs=Broken(LIST.logs)))
    findings = judging.endpoint(served(ct_forge.issue([ONE, TWO], days_from(85, 90))))
    assert codes(findings) == ["103", "901"]
    assert 'check "certificate transparency" crashed on 192.0.2.1:443' in findings[1].message
    assert [finding.ct for finding in findings] == ["", ""]
    assert judging.ct(served(GOOD)) == {}
    assert list(judging.ct_questions(served(GOOD))) == []
