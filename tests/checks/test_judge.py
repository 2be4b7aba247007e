"""One observation in, its findings out: each problem once, whatever else is wrong."""

from dataclasses import replace
from datetime import timedelta

import pytest
from servers.judging import NOW, deployment, diagnosis, failed, observed, provenance, ref, target

from dnscertscan.checks import RULES
from dnscertscan.checks.judge import Judge, sort_key
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.errors import EngineError
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.findings import Severity
from dnscertscan.model.observations import ClientAuth, Failure, FailureKind
from dnscertscan.model.records import Verdict
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.truststore import TrustStore

RSA, ECDSA, BARE = Certificate(b"rsa"), Certificate(b"ecdsa"), Certificate(b"bare")
PUBLIC = (TrustStore("public", ()),)
WHERE = target()


def judge(*found, policy=None, **by_leaf):
    """A judge for whom every chain has the diagnosis ``found``, or the one given for its leaf's octets."""

    def examine(chain, name, stores, at, *, known=(), staple=None, public=True):
        return by_leaf[chain[0].der.decode()] if by_leaf else found[0] if found else diagnosis()

    return Judge(policy or CheckPolicy(), PUBLIC, (), NOW, examine=examine)


def slugs(findings):
    return [finding.rule.slug for finding in findings]


def test_a_healthy_endpoint_has_no_findings() -> None:
    """Silence means health, so health must be silent."""
    assert judge().endpoint(observed(WHERE, deployment())) == ()


def test_a_fault_becomes_a_finding_with_everything_an_output_needs() -> None:
    """Code, severity, subject, certificate, leaf and target are stamped by the judge."""
    fault = Fault("hostname-mismatch", "subject does not match hostname: www.example.com", ref())
    (finding,) = judge(diagnosis(fault)).endpoint(observed(WHERE, deployment()))
    assert finding.rule is RULES["hostname-mismatch"]
    assert finding.severity is Severity.ERROR
    assert finding.message == fault.message
    assert finding.certificate == finding.leaf == ref()
    assert finding.target is WHERE
    place = finding.subject
    assert (place.zone, place.fqdn, place.ip_address, place.port) == ("example.com", "www.example.com", "192.0.2.1", 443)
    assert place.record == "www.example.com. A 192.0.2.1"
    assert finding.store is None


def test_zones_records_and_wildcards_that_lead_there_are_all_named_once() -> None:
    """A target reached from two zones belongs to both; texts are sorted, so their order does not depend on the run."""
    origins = (
        provenance("b.example.net", "example.net", kind="CNAME", data="www.example.com."),
        provenance("*.example.com", "example.com", wildcard="*.example.com"),
        provenance("*.example.com", "example.com", wildcard="*.example.com"),
    )
    fault = Fault("hostname-mismatch", "subject does not match hostname", ref())
    findings = [
        judge(diagnosis(fault)).endpoint(observed(target("b.example.net", "192.0.2.1", 443, *order), deployment()))
        for order in (origins, origins[::-1])
    ]
    assert findings[0] == findings[1]
    place = findings[0][0].subject
    assert place.zone == "example.com, example.net"
    assert place.record == "*.example.com. A 192.0.2.1; b.example.net. CNAME www.example.com."
    assert place.wildcard == "*.example.com"


def test_an_error_hides_no_warning_and_severities_may_be_overridden() -> None:
    """All independent problems of one chain are reported, each with its own weight."""
    found = diagnosis(
        Fault("cert-expired", "certificate has expired: x", ref("CN=Old", position=2), Severity.INFO),
        Fault("chain-order", "certificate chain does not have valid order", None),
        Fault("hostname-mismatch", "subject does not match hostname", ref()),
    )
    findings = judge(found).endpoint(observed(WHERE, deployment()))
    assert [(finding.rule.slug, finding.severity) for finding in findings] == [
        ("cert-expired", Severity.INFO), ("hostname-mismatch", Severity.ERROR), ("chain-order", Severity.WARNING),
    ]


def test_a_problem_of_one_deployment_says_which_handshake_shows_it() -> None:
    """RSA fine, ECDSA expired: the finding names the handshake and the ECDSA leaf."""
    seen = observed(WHERE, deployment(RSA, how=("TLS 1.2 RSA",)), deployment(ECDSA, how=("TLS 1.2 not RSA", "TLS 1.3")))
    old = ref("CN=ecdsa")
    bad = diagnosis(Fault("cert-expired", "certificate has expired: x", old), leaf=old)
    (finding,) = judge(rsa=diagnosis(), ecdsa=bad).endpoint(seen)
    assert finding.message == "certificate has expired: x (only on TLS 1.2 not RSA, TLS 1.3)"
    assert finding.certificate == finding.leaf == old


def test_the_same_problem_of_the_same_certificate_is_said_once() -> None:
    """An expired intermediate under both leaves is one finding without a note on handshakes."""
    fault = Fault("cert-expired", "certificate has expired: intermediate", ref("CN=Intermediate", position=1))
    seen = observed(WHERE, deployment(RSA, how=("TLS 1.2 RSA",)), deployment(ECDSA, how=("TLS 1.3",)))
    (finding,) = judge(rsa=diagnosis(fault), ecdsa=diagnosis(fault)).endpoint(seen)
    assert finding.message == fault.message


def test_several_facts_of_one_rule_and_certificate_are_one_finding() -> None:
    """Fingerprints are unique within an endpoint; the facts are joined, a flood of them cut."""
    faults = tuple(Fault("nc-permitted", f"permitted subtree violation: n{number}", ref()) for number in range(8))
    (finding,) = judge(diagnosis(*faults)).endpoint(observed(WHERE, deployment()))
    assert finding.message.startswith("permitted subtree violation: n0; permitted subtree violation: n1; ")
    assert finding.message.endswith("n4; and 3 more")


def test_a_fault_for_some_stores_names_them() -> None:
    """What holds for all stores has no store; what holds for some has their names, and is another finding."""
    some = Fault("issuer-not-found", "unable to get local issuer certificate: x", ref(), stores=("Java", "Microsoft"))
    assert judge(diagnosis(some)).endpoint(observed(WHERE, deployment()))[0].store == "Java, Microsoft"


@pytest.mark.parametrize("protocol", ["TLS 1.0", "TLS 1.1", "TLSv1.1", "TLSv1", "SSL 3.0"])
def test_legacy_protocols_are_reported(protocol) -> None:
    """What was negotiated is the best the server has."""
    (finding,) = judge().endpoint(observed(WHERE, deployment(), protocol=protocol))
    assert finding.rule.slug == "legacy-tls-only"
    assert finding.message == f"server offers only TLS 1.1 or older: {protocol} was negotiated"


@pytest.mark.parametrize("protocol", ["TLS 1.2", "TLS 1.3", "TLSv1.3", ""])
def test_current_protocols_are_not_reported(protocol) -> None:
    """Nor is an unknown one."""
    assert judge().endpoint(observed(WHERE, deployment(), protocol=protocol)) == ()


def test_client_certificates_are_reported_only_when_required() -> None:
    """A server that merely asks is like any other."""
    assert slugs(judge().endpoint(observed(WHERE, deployment(), client_auth=ClientAuth.REQUIRED))) == ["client-cert-required"]
    assert judge().endpoint(observed(WHERE, deployment(), client_auth=ClientAuth.REQUESTED)) == ()


def test_a_dead_engine_is_reported_and_the_certificates_are_judged() -> None:
    """Both when it died before and when it died after the certificates were read."""
    dead = Failure(FailureKind.ENGINE, "worker killed after 20 s")
    fault = Fault("cert-expired", "certificate has expired: x", ref())
    after = judge(diagnosis(fault)).endpoint(observed(WHERE, deployment(), engine_failure=dead))
    assert slugs(after) == ["cert-expired", "engine-failed"]
    assert after[1].message.startswith("scan engine failed after the certificates were read")
    (before,) = judge().endpoint(failed(WHERE, dead))
    assert before.message == "scan engine failed before certificates were read: worker killed after 20 s"
    assert before.severity is Severity.ERROR


UNREACHABLE = sorted(set(FailureKind) - {FailureKind.ENGINE, FailureKind.DEADLINE, FailureKind.UNSCANNABLE_NAME})


@pytest.mark.parametrize("kind", UNREACHABLE)
def test_an_absent_server_is_a_finding_only_when_the_policy_says_so(kind) -> None:
    """Coverage states by default; with the policy on, each has its own rule."""
    seen = failed(WHERE, Failure(kind, "what\x1b was seen"))
    assert judge().endpoint(seen) == ()
    (finding,) = judge(policy=CheckPolicy(fail_on_unreachable=True)).endpoint(seen)
    assert finding.rule.code.startswith("DCS7")
    assert finding.message.endswith(": what\\x1b was seen")
    assert len({RULES[slug].slug for slug in slugs([finding])}) == 1


def test_every_absence_has_a_rule_of_its_own() -> None:
    """No two kinds of failure share a code, and every 7xx rule has a failure."""
    strict = judge(policy=CheckPolicy(fail_on_unreachable=True))
    codes = [strict.endpoint(failed(WHERE, Failure(kind, "x")))[0].rule.code for kind in UNREACHABLE]
    assert sorted(codes) == [rule.code for rule in RULES.values() if rule.code.startswith("DCS7")]


@pytest.mark.parametrize("kind", [FailureKind.DEADLINE, FailureKind.UNSCANNABLE_NAME])
def test_not_looking_is_not_the_servers_fault(kind) -> None:
    """The end of the run and names nobody can ask for are reported elsewhere."""
    assert judge(policy=CheckPolicy(fail_on_unreachable=True)).endpoint(failed(WHERE, Failure(kind, "x"))) == ()


def test_what_clients_without_sni_get_is_one_note() -> None:
    """Problems of the default certificate are never errors of the endpoint."""
    bad = diagnosis(
        Fault("cert-expired", "certificate has expired: x", ref("CN=default")),
        Fault("hostname-mismatch", "subject does not match hostname: y", ref("CN=default")),
        Fault("chain-includes-root", "chain includes the trust anchor", ref("CN=Root")),
        leaf=ref("CN=default"),
    )
    seen = observed(WHERE, deployment(RSA), deployment(BARE, how=("no SNI",), sni=False))
    (finding,) = judge(rsa=diagnosis(), bare=bad).endpoint(seen)
    assert (finding.rule.slug, finding.severity, finding.certificate) == ("default-certificate", Severity.INFO, ref("CN=default"))
    assert "certificate has expired: x; subject does not match hostname: y" in finding.message
    assert "trust anchor" not in finding.message


def test_a_good_or_equal_default_certificate_is_no_news() -> None:
    """Nothing to say when it is valid, has only remarks, or is what everybody gets."""
    remark = diagnosis(Fault("chain-includes-root", "chain includes the trust anchor", ref("CN=Root")))
    bare = deployment(BARE, how=("no SNI",), sni=False)
    assert judge(rsa=diagnosis(), bare=remark).endpoint(observed(WHERE, deployment(RSA), bare)) == ()
    bad = diagnosis(Fault("cert-expired", "certificate has expired: x", ref()))
    same = observed(WHERE, deployment(RSA), deployment(RSA, how=("no SNI",), sni=False))
    assert slugs(judge(rsa=bad).endpoint(same)) == ["cert-expired"]


def test_a_crashing_check_is_a_finding_and_the_others_go_on() -> None:
    """The second deployment and the handshake are judged although the first diagnosis crashed."""

    def examine(chain, name, stores, at, *, known=(), staple=None, public=True):
        if chain[0] == RSA:
            raise EngineError("secret 0x7f12ab")
        return diagnosis(Fault("cert-expired", "certificate has expired: x", ref()))

    seen = observed(WHERE, deployment(RSA), deployment(ECDSA), protocol="TLS 1.0")
    crashing = Judge(CheckPolicy(), PUBLIC, (), NOW, examine=examine)
    findings = crashing.endpoint(seen)
    assert set(slugs(findings)) == {"check-crashed", "cert-expired", "legacy-tls-only"}
    (crash, *_) = [finding for finding in findings if finding.rule.slug == "check-crashed"]
    assert crash.message.startswith('check "diagnosis" crashed on 192.0.2.1:443 www.example.com: EngineError in ')
    assert "0x7f" not in crash.message
    assert crashing.valid(seen) == {}


def test_a_fault_no_rule_knows_is_a_crash_that_hides_nothing() -> None:
    """A slug without rule costs that one finding."""
    found = diagnosis(Fault("no-such-rule", "x", None), Fault("cert-expired", "certificate has expired: x", ref()))
    assert slugs(judge(found).endpoint(observed(WHERE, deployment()))) == ["cert-expired", "check-crashed"]


def test_fingerprints_do_not_depend_on_engine_time_order_or_wording() -> None:
    """What is known from yesterday's report is recognised today."""
    def run(engine, at, deployments, message):
        found = diagnosis(Fault("cert-expired", message, ref("CN=Shared", position=1)), Fault("ca-as-leaf", "y", ref()))
        return {
            finding.fingerprint
            for finding in judge(found).endpoint(replace(observed(WHERE, *deployments, engine=engine), at=at))
        }

    one, two = deployment(RSA), deployment(ECDSA)
    first = run("sslyze", NOW, (one, two), "certificate has expired: a")
    assert first == run("openssl", NOW + timedelta(days=3), (two, one), "certificate has expired: b")
    assert len(first) == 2


def test_the_same_input_gives_the_same_findings() -> None:
    """Byte for byte: nothing in a message comes from the clock or the process."""
    found = diagnosis(Fault("cert-expired", "certificate has expired: x", ref()), Fault("chain-order", "y", None))
    seen = observed(WHERE, deployment(RSA), deployment(ECDSA))
    assert judge(found).endpoint(seen) == judge(found).endpoint(seen)


def test_valid_needs_every_deployment_with_sni() -> None:
    """A store accepts the endpoint when it accepts all a client may be shown; without certificates nothing is known."""
    fine, half = diagnosis(valid_for={"a": True, "b": True}), diagnosis(valid_for={"a": True, "b": False})
    bare = deployment(BARE, sni=False)
    here = judge(rsa=fine, ecdsa=half, bare=diagnosis(valid_for={"a": False, "b": False}))
    assert here.valid(observed(WHERE, deployment(RSA), bare)) == {"a": True, "b": True}
    assert here.valid(observed(WHERE, deployment(RSA), deployment(ECDSA))) == {"a": True, "b": False}
    assert here.valid(failed(WHERE, Failure(FailureKind.REFUSED, "x"))) == {}


def test_diagnoses_are_remembered_and_incomplete_chains_looked_at_again() -> None:
    """One diagnosis for many looks; after learning, only chains that lack an issuer are examined again, with what was seen."""
    calls = []

    def examine(chain, name, stores, at, *, known=(), staple=None, public=True):
        calls.append((chain[0].der, [certificate.der for certificate in known]))
        missing = Fault("issuer-not-found", "unable to get local issuer certificate", ref())
        return diagnosis(missing) if chain[0] == RSA else diagnosis()

    once = Judge(CheckPolicy(), PUBLIC, (), NOW, examine=examine)
    seen = [observed(target(address=f"192.0.2.{n}"), deployment(leaf, BARE)) for n in (1, 2) for leaf in (RSA, ECDSA)]
    for observation in seen:
        once.endpoint(observation)
        once.valid(observation)
    assert calls == [(b"rsa", []), (b"ecdsa", [])]
    once.learn(seen)
    for observation in seen:
        once.endpoint(observation)
    assert calls[2:] == [(b"rsa", [b"bare"])]


def test_findings_sort_by_address_as_a_number() -> None:
    """10.0.0.9 before 10.0.0.10, IPv4 before IPv6, no address first."""
    (finding,) = judge(diagnosis(Fault("chain-order", "x", None))).endpoint(observed(WHERE, deployment()))
    addresses = ["2001:db8::1", "10.0.0.10", "", "10.0.0.9", "not an address"]
    findings = [replace(finding, subject=replace(finding.subject, ip_address=address)) for address in addresses]
    ordered = [one.subject.ip_address for one in sorted(findings, key=sort_key)]
    assert ordered == ["", "not an address", "10.0.0.9", "10.0.0.10", "2001:db8::1"]


def test_unresolved_provenance_is_no_problem() -> None:
    """Targets given by hand have no chase behind them."""
    where = target("www.example.com", "192.0.2.1", 443, provenance(verdict=Verdict.RESOLVED))
    assert judge().endpoint(observed(where, deployment())) == ()
