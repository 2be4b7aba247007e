"""Each fault alone, faults in pairs, and what is said about them."""

from pathlib import Path

import pytest
from pki.changes import CHANGES, make
from pki.worlds import Case

from dnscertscan import diagnose
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.diagnose import examine
from dnscertscan.pki.fault import Diagnosis
from dnscertscan.pki.truststore import TrustStore
from dnscertscan.pki.vocabulary import WORDS
from dnscertscan.pki.wording import weight

Found = set[tuple[str, int | None, str]]

EXPECTED = dict(
    line.split(": ") if ": " in line else (line.rstrip(":"), "")
    for line in Path(__file__).with_name("expected.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
)
FAULTY = [change for change, rows in EXPECTED.items() if rows]


def _expected(change: str) -> Found:
    rows = [row.split() for row in EXPECTED[change].split(", ") if row]
    return {(slug, None if position == "-" else int(position), severity) for slug, position, severity in rows}


def _found(case: Case) -> Found:
    made = diagnose(case.chain, case.name, case.anchors, case.at)
    found = {(p.slug, p.certificate.position if p.certificate else None, p.severity[0]) for p in made.problems}
    assert made.valid == (not any(severity == "e" for _, _, severity in found))
    assert len(found) == len(made.problems), "each problem once"
    return found


def look(case: Case, **more: object) -> Diagnosis:
    store = TrustStore("own", map(Certificate, case.anchors))
    return examine(tuple(map(Certificate, case.chain)), case.name, (store,), case.at, **more)


@pytest.mark.parametrize("change", CHANGES)
def test_one_fault_is_named_alone(change: str) -> None:
    """A single change yields exactly the problems it makes, at the certificate it is made to."""
    assert _found(make(change)) == _expected(change)


def test_every_change_is_accounted_for() -> None:
    """The table of expected problems has a line for each change, and none besides."""
    assert list(EXPECTED) == list(CHANGES)


def test_a_sound_chain_has_no_problem() -> None:
    """Nothing to say about a good chain, with EC and RSA keys."""
    assert _found(make()) == _found(make(kind="RSA2048")) == set()


LEAF_SIDE = (
    "leaf-expired", "wrong-name", "eku-client", "leaf-rsa1024", "unknown-critical", "leaf-sha1", "serial-zero", "san-none",
    "ca-as-leaf",
)
UPPER_SIDE = (
    "ca-expired", "ca-no-certsign", "ca-eku-client", "ca-sha1", "ca-unknown-critical", "ca-signature", "root-expired",
    "root-rsa1024", "root-pathlen-0", "root-unknown-critical", "untrusted", "untrusted-sent", "missing-intermediate",
    "root-included", "extra", "duplicates",
)


@pytest.mark.parametrize("upper", UPPER_SIDE)
@pytest.mark.parametrize("lower", LEAF_SIDE)
def test_two_faults_are_both_named(lower: str, upper: str) -> None:
    """Independent faults do not hide each other, and nothing else is reported."""
    assert _found(make(lower, upper)) == _expected(lower) | _expected(upper)


@pytest.mark.parametrize("change", FAULTY)
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
