"""Each fault alone, faults in pairs, and what is said about them."""

import pytest

from dnscertscan import diagnose
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.diagnose import examine
from dnscertscan.pki.fault import Diagnosis
from dnscertscan.pki.truststore import TrustStore
from dnscertscan.pki.vocabulary import WORDS
from dnscertscan.pki.wording import weight
from pki.changes import CHANGES, make
from pki.worlds import Case

Found = set[tuple[str, int | None, str]]

OK = "sound"
# What each change yields: (slug, position, severity's first letter). Changes that are no fault yield nothing.
EXPECTED: dict[str, str] = {
    "leaf-expired": "cert-expired 0 e", "leaf-future": "cert-not-yet-valid 0 e", "leaf-over-by-one-second": "cert-expired 0 e",
    "leaf-generalized-time": "cert-encoding 0 w", "leaf-fractional-time": "time-format 0 e", "leaf-time-no-seconds": "time-format 0 e",
    "leaf-time-offset": "time-format 0 e", "leaf-time-month-13": "time-format 0 e", "leaf-2050": "lifetime-too-long 0 w",
    "wrong-name": "hostname-mismatch 0 e", "wildcard-two-labels": "hostname-mismatch 0 e", "wildcard-apex": "hostname-mismatch 0 e",
    "wildcard-inner": "hostname-mismatch 0 e", "wildcard-tld": "hostname-mismatch 0 e", "wildcard-bare": "hostname-mismatch 0 e",
    "wildcard-double": "hostname-mismatch 0 e", "wildcard-partial": "hostname-mismatch 0 e", "final-dot-san": "hostname-mismatch 0 e",
    "utf8-san": "hostname-mismatch 0 e, cert-encoding 0 w", "ip4-other": "ip-mismatch 0 e", "ip-as-dns": "ip-mismatch 0 e",
    "ip-mapped": "ip-mismatch 0 e", "san-empty": "hostname-mismatch 0 e", "san-only-mail": "hostname-mismatch 0 e",
    "san-none": "no-san 0 e", "san-critical": "cert-encoding 0 w", "san-garbage": "cert-unparseable 0 e",
    "san-twice": "cert-unparseable 0 e, hostname-mismatch 0 e", "empty-subject": "cert-encoding 0 w",
    "eku-client": "wrong-eku 0 e", "eku-any": "wrong-eku 0 e", "eku-empty": "wrong-eku 0 e", "ku-crl-sign": "wrong-eku 0 e",
    "netscape-client": "wrong-eku 0 e", "ca-as-leaf": "ca-as-leaf 0 w", "basic-garbage": "cert-unparseable 0 e",
    "basic-negative-pathlen": "cert-unparseable 0 e", "unknown-critical": "unknown-critical-ext 0 e",
    "aki-critical": "unknown-critical-ext 0 e", "ski-critical": "unknown-critical-ext 0 e", "must-staple": "must-staple-missing 0 w",
    "leaf-name-constraints": "cert-encoding 0 w", "v1": "v1-cert 0 w, no-san 0 e", "v2": "cert-encoding 0 w", "v4": "cert-encoding 0 w",
    "serial-negative": "cert-encoding 0 w", "serial-zero": "cert-encoding 0 w", "serial-long": "cert-encoding 0 w",
    "leaf-no-aki": "missing-aki 0 w", "aki-other-key": "issuer-not-found 0 e", "aki-other-serial": "issuer-not-found 0 e",
    "aki-garbage": "cert-unparseable 0 e", "leaf-sha1": "weak-signature 0 e", "leaf-rsa1024": "weak-key 0 e", "leaf-p192": "weak-key 0 e",
    "leaf-p224": "unsupported-alg 0 w", "leaf-secp256k1": "unsupported-alg 0 w", "leaf-ed25519": "unsupported-alg 0 w",
    "leaf-dsa": "unsupported-alg 0 w", "leaf-explicit-curve": "unsupported-alg 0 e", "leaf-signature": "signature-failure 0 e",
    "leaf-algorithms-differ": "signature-failure 0 e", "leaf-issuer-other": "issuer-not-found 0 e, chain-extra-cert 1 w",
    "t61-subject": "cert-encoding 0 w", "bad-utf8-subject": "cert-unparseable 0 e",
    "ca-expired": "cert-expired 1 e", "ca-future": "cert-not-yet-valid 1 e", "ca-no-basic": "invalid-ca 1 e", "ca-false": "invalid-ca 1 e, cert-encoding 1 w",
    "ca-no-certsign": "keyusage-no-certsign 1 e", "ca-leaf-like": "invalid-ca 1 e, keyusage-no-certsign 1 e",
    "ca-eku-client": "wrong-eku 1 e", "ca-eku-any": "wrong-eku 1 e", "ca-unknown-critical": "unknown-critical-ext 1 e",
    "ca-sha1": "weak-signature 1 e", "ca-rsa1024": "weak-key 1 e", "ca-ed25519": "unsupported-alg 0 w, unsupported-alg 1 w",
    "ca-v1": "invalid-ca 1 e, v1-cert 1 w", "ca-no-aki": "missing-aki 1 w", "ca-no-ski": "cert-encoding 1 w",
    "ca-signature": "signature-failure 1 e", "ca-explicit-curve": "unsupported-alg 1 e",
    "ca-empty-subject": "cert-encoding 0 w, cert-encoding 1 w", "ca-serial-zero": "cert-encoding 1 w", "ca-time-offset": "time-format 1 e",
    "nc-permitted-other": "nc-permitted 0 e", "nc-excluded": "nc-excluded 0 e", "nc-leading-dot": "cert-encoding 1 w",
    "nc-suffix-no-dot": "nc-permitted 0 e", "nc-empty-excluded": "nc-excluded 0 e", "nc-directory-other": "nc-permitted 0 e",
    "nc-directory-excluded": "nc-excluded 0 e", "nc-minimum": "nc-permitted 0 e", "nc-not-critical": "nc-permitted 0 e, cert-encoding 1 w",
    "nc-garbage": "cert-unparseable 1 e", "two-cas-pathlen-0": "pathlen-exceeded 2 e", "two-cas-upper-client": "wrong-eku 2 e",
    "two-cas-upper-expired": "cert-expired 2 e", "two-cas-upper-nc": "nc-permitted 0 e",
    "root-expired": "cert-expired - e", "root-future": "cert-not-yet-valid - e", "root-no-extensions": "invalid-ca - e",
    "root-false": "invalid-ca - e", "root-no-certsign": "keyusage-no-certsign - e", "root-pathlen-0": "pathlen-exceeded - e",
    "root-rsa1024": "weak-key - e", "root-unknown-critical": "unknown-critical-ext - e", "root-eku-client": "wrong-eku - e",
    "root-nc-other": "nc-permitted 0 e", "untrusted": "issuer-not-found 1 e", "untrusted-sent": "self-signed-in-chain 2 e",
    "missing-intermediate": "issuer-not-found 0 e", "root-included": "chain-includes-root 2 i",
    "root-before-intermediate": "chain-order 1 w, chain-includes-root 1 i", "duplicates": "chain-duplicate 2 w",
    "extra": "chain-extra-cert 2 w", "extra-expired": "chain-extra-cert 2 w, cert-expired 2 i",
    "wrong-intermediate": "issuer-not-found 0 e, chain-extra-cert 1 w", "same-name-other-key": "issuer-not-found 0 e, chain-extra-cert 1 w",
    "self-signed": "self-signed-leaf 0 e", "self-signed-ca-trusted": "ca-as-leaf 0 w", "anchor-sent-twice": "chain-includes-root 2 i, chain-duplicate 3 w",
    "unknown-twice": "cert-encoding 0 w", "info-access-garbage": "cert-encoding 0 w", "leaf-certsign-without-ca": "cert-encoding 0 w",
    "leaf-pathlen-without-ca": "cert-encoding 0 w", "leaf-ca-pathlen-0": "ca-as-leaf 0 w", "leaf-no-expiry": "lifetime-too-long 0 w",
    "leaf-empty-issuer": "issuer-not-found 0 e, cert-encoding 0 w, chain-extra-cert 1 w", "leaf-rsa2047": "weak-key 0 e",
    "leaf-rsa2052": "unsupported-alg 0 w", "leaf-dates-swapped": "cert-expired 0 e, cert-not-yet-valid 0 e",
    "leaf-tail": "cert-unparseable 0 e", "san-ip-five-octets": "cert-encoding 0 w", "san-with-nul": "hostname-mismatch 0 e",
    "san-unknown-kind": "cert-unparseable 0 e", "root-empty-subject": "cert-encoding 1 w", "root-tail": "issuer-not-found 1 e",
    "root-time-offset": "time-format - e", "root-garbage": "cert-unparseable - e",
    "cross-signed-expired": "cert-expired 1 i", "renewed-intermediate": "cert-expired 1 i", "eleven-intermediates": "chain-too-long 11 e",
    "rival-intermediate": "missing-aki 0 w, chain-extra-cert 1 w", "rival-anchor": "missing-aki 1 w",
}


def _expected(change: str) -> Found:
    rows = [row.split() for row in EXPECTED.get(change, "").split(", ") if row]
    return {(slug, None if position == "-" else int(position), severity) for slug, position, severity in rows}


def _found(case: Case) -> Found:
    made = diagnose(case.chain, case.name, case.anchors, case.at)
    found = {(p.slug, p.certificate.position if p.certificate else None, p.severity[0]) for p in made.problems}
    assert made.valid == (not any(severity == "e" for _, _, severity in found))
    assert len(found) == len(made.problems), "each problem once"
    return found


def look(case: Case, **more: object) -> Diagnosis:
    return examine(tuple(map(Certificate, case.chain)), case.name, (TrustStore("own", map(Certificate, case.anchors)),), case.at, **more)


@pytest.mark.parametrize("change", CHANGES)
def test_one_fault_is_named_alone(change: str) -> None:
    """A single change yields exactly the problems it makes, at the certificate it is made to."""
    assert _found(make(change)) == _expected(change)


def test_a_sound_chain_has_no_problem() -> None:
    """Nothing to say about a good chain, with EC and RSA keys."""
    assert _found(make()) == _found(make(kind="RSA2048")) == set()


LEAF_SIDE = ("leaf-expired", "wrong-name", "eku-client", "leaf-rsa1024", "unknown-critical", "leaf-sha1", "serial-zero", "san-none", "ca-as-leaf")
UPPER_SIDE = (
    "ca-expired", "ca-no-certsign", "ca-eku-client", "ca-sha1", "ca-unknown-critical", "ca-signature", "root-expired", "root-rsa1024",
    "root-pathlen-0", "root-unknown-critical", "untrusted", "untrusted-sent", "missing-intermediate", "root-included", "extra", "duplicates",
)


@pytest.mark.parametrize("upper", UPPER_SIDE)
@pytest.mark.parametrize("lower", LEAF_SIDE)
def test_two_faults_are_both_named(lower: str, upper: str) -> None:
    """Independent faults do not hide each other, and nothing else is reported."""
    assert _found(make(lower, upper)) == _expected(lower) | _expected(upper)


@pytest.mark.parametrize("change", EXPECTED)
def test_messages_start_with_the_known_words_and_name_the_certificate(change: str) -> None:
    """Every message begins with its rule's words, is one line, and names subject or position of the certificate."""
    for fault in look(make(change)).faults:
        assert fault.message.startswith(WORDS[fault.slug][1] + ": ")
        assert fault.message.isprintable()
        assert "; " in fault.message, "a next step"
        assert fault.certificate is not None
        assert fault.certificate.sha256
        named = "trust anchor" if fault.certificate.position is None else f"{fault.certificate.position}"
        assert named in fault.message
        assert weight(fault) == (fault.severity or WORDS[fault.slug][0])


def test_the_path_is_named_up_to_the_anchor() -> None:
    """The best path is leaf first and ends in the anchor, which has no position when it was not sent."""
    assert [ref.position for ref in look(make()).path] == [0, 1, None]
    assert [ref.position for ref in look(make("root-before-intermediate")).path] == [0, 2, 1]


def test_a_missing_intermediate_seen_elsewhere_is_named() -> None:
    """`known` certificates turn 'not sent' into 'missing intermediate', by name; they never make the chain valid."""
    whole, short = make(), make("missing-intermediate")
    unknown, confirmed = look(short), look(short, known=tuple(map(Certificate, whole.chain)))
    assert 'issuer "CN=Forge Int,O=Forge"' in unknown.faults[0].message
    assert "was not sent and is in no trust store" in unknown.faults[0].message
    assert "missing intermediate" not in unknown.faults[0].message
    assert 'missing intermediate "CN=Forge Int,O=Forge"' in confirmed.faults[0].message
    assert not confirmed.valid


def test_an_unknown_root_is_told_from_a_missing_intermediate() -> None:
    """When the issuer seen elsewhere is a root, the message says untrusted root."""
    private = make("root-included")
    case = make("untrusted")
    found = look(case, known=(Certificate(private.chain[2]),))
    assert 'untrusted root "CN=Forge Root,O=Forge"' in found.faults[0].message
    assert "is not in any store" in found.faults[0].message


def test_certificates_of_another_authority_do_not_confirm_anything() -> None:
    """A known certificate counts only when its key signed: the same name is not enough."""
    imposter = make("same-name-other-key").chain[1]
    found = look(make("missing-intermediate"), known=(Certificate(imposter),))
    assert "missing intermediate" not in found.faults[0].message


def test_the_server_certificate_sent_last_is_pointed_out() -> None:
    """A list in reverse order is judged as clients judge it, and the right first certificate is named."""
    case = make()
    reverse = Case(tuple(reversed(case.chain)), case.anchors, case.name, case.at)
    found = {(fault.slug, fault.certificate.position if fault.certificate else None) for fault in look(reverse).faults}
    assert {("chain-order", 1), ("no-san", 0), ("ca-as-leaf", 0)} <= found


def test_no_name_no_name_check() -> None:
    """An empty name asks for the chain only."""
    case = make("wrong-name")
    assert examine(tuple(map(Certificate, case.chain)), "", (TrustStore("own", map(Certificate, case.anchors)),), case.at).valid
