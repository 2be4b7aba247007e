"""What only many observations show: names served differently, serial numbers used twice."""

from itertools import permutations

from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.judging import NOW, certificate, deployment, failed, observed, target

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.demo.authority import Authority, self_signed
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.pki.parse import parse

JUDGE = Judge(CheckPolicy(), (), (), NOW)
ROOT = Authority.root("Fleet Root", now=NOW)
OTHER = Authority.root("Fleet Root", now=NOW)


def _leaf(name: str, *, serial: int = 0, authority: Authority = ROOT):
    def amend(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        builder._serial_number = serial or builder._serial_number
        return builder

    return certificate(authority.leaf(name, amend=amend).certificate)[0]


SUBJECT = '"CN=www.example.com,O=Example Trust"'
OLD, NEW, THIRD = _leaf("www.example.com"), _leaf("www.example.com"), _leaf("www.example.com")


def _at(number: int, *leaves, port: int = 443, name: str = "www.example.com", **more):
    deployments = [deployment(leaf) for leaf in leaves]
    return observed(target(name, f"192.0.2.{number}", port), *deployments, **more)


def test_a_forgotten_server_is_named() -> None:
    """Addresses and certificates of both groups are in the message, in the same order whatever the order of the scan."""
    seen = [_at(10, OLD), _at(9, NEW), _at(2, NEW)]
    results = {JUDGE.fleet(order) for order in permutations(seen)}
    assert len(results) == 1
    ((finding,),) = results
    assert finding.rule.slug == "cert-varies"
    assert finding.message == (
        "different certificates are served on different connections: "
        f"192.0.2.2, 192.0.2.9 serve {SUBJECT} until 2026-08-20T12:00:00+00:00 (sha256 {NEW.sha256[:16]}); "
        f"192.0.2.10 serves {SUBJECT} until 2026-08-20T12:00:00+00:00 (sha256 {OLD.sha256[:16]})"
    )
    place = finding.subject
    assert (place.fqdn, place.ip_address, place.port, place.zone) == ("www.example.com", "", 443, "example.com")
    assert place.record == "www.example.com. A 192.0.2.10; www.example.com. A 192.0.2.2; www.example.com. A 192.0.2.9"


def test_the_same_certificates_everywhere_are_no_news() -> None:
    """An RSA and ECDSA pair counts as a set, in any order."""
    assert JUDGE.fleet([_at(1, OLD, NEW), _at(2, NEW, OLD)]) == ()


def test_a_server_that_lacks_one_of_a_pair_varies() -> None:
    """Half a renewal shows."""
    assert [finding.rule.slug for finding in JUDGE.fleet([_at(1, OLD, NEW), _at(2, NEW)])] == ["cert-varies"]


def test_other_names_and_ports_are_other_services() -> None:
    """They may have certificates of their own."""
    assert JUDGE.fleet([_at(1, OLD), _at(2, NEW, port=8443), _at(3, THIRD, name="mail.example.com")]) == ()


def test_what_was_not_seen_completely_is_not_compared() -> None:
    """A dead engine, an absent server and the certificate without SNI prove nothing."""
    dead = Failure(FailureKind.ENGINE, "x")
    bare = observed(target(address="192.0.2.4"), deployment(THIRD, sni=False))
    assert JUDGE.fleet([_at(1, OLD), _at(2, NEW, engine_failure=dead), failed(target(address="192.0.2.3"), dead), bare]) == ()


def test_many_addresses_make_no_endless_message() -> None:
    """A hundred servers with two certificates fit on a line."""
    seen = [_at(number, OLD if number % 2 else NEW) for number in range(1, 101)]
    (finding,) = JUDGE.fleet(seen)
    assert "42 more" in finding.message
    assert len(finding.message) < 1000


def test_two_certificates_with_one_serial_number() -> None:
    """Issuer, serial and both certificates are named, the same way in any order."""
    first, second = (_leaf(name, serial=0x1234) for name in ("a.example.com", "b.example.com"))
    seen = [_at(1, first, name="a.example.com"), _at(2, second, name="b.example.com"), _at(3, second, name="b.example.com")]
    results = {JUDGE.fleet(order) for order in permutations(seen)}
    assert len(results) == 1
    ((finding,),) = results
    assert finding.rule.slug == "duplicate-serial"
    assert finding.message.startswith(
        'two certificates of one issuer share a serial number: serial 1234 of "CN=Fleet Root,O=Example Trust" is on "CN='
    )
    assert finding.certificate is not None
    assert finding.certificate.sha256 == min(first.sha256, second.sha256)
    assert "192.0.2.1:443" in finding.message
    assert "192.0.2.2:443" in finding.message


def test_the_same_serial_number_of_two_issuers_is_fine() -> None:
    """Two CAs of one name are told apart by their keys; so are self-signed appliances."""
    first, second = _leaf("a.example.com", serial=7), _leaf("b.example.com", serial=7, authority=OTHER)
    boxes = [certificate(self_signed("box.example.com", now=NOW).certificate)[0] for _ in range(2)]
    assert JUDGE.fleet([_at(1, first, name="a.example.com"), _at(2, second, name="b.example.com")]) == ()
    assert JUDGE.fleet([_at(n, box, name=f"box{n}.example.com") for n, box in enumerate(boxes, 1)]) == ()


def test_unreadable_certificates_crash_nothing() -> None:
    """Octets that are no certificate take part by their digest."""
    seen = [_at(1, deployment().chain[0]), _at(2, OLD)]
    assert [finding.rule.slug for finding in JUDGE.fleet(seen)] == ["cert-varies"]


class _Counted:
    """Observations that can be read again and again, and are counted."""

    def __init__(self, seen):
        self.seen, self.passes = seen, 0

    def __iter__(self):
        self.passes += 1
        return iter(self.seen)


LEAVES = {
    number: _leaf(f"h{number}.example.com", serial=100 + number // 2, authority=ROOT if number % 3 else OTHER)
    for number in range(8)
}
SHOWN = st.tuples(
    st.sampled_from(["a.example.com", "b.example.com"]), st.integers(1, 6), st.sampled_from([443, 8443]),
    st.lists(st.sampled_from(sorted(LEAVES)), max_size=2), st.sampled_from([{}, {}, {"unanswered": ("TLS 1.3",)}]),
)


def _plainly(seen):
    """What is expected, by dictionaries of everything."""
    served, issued = {}, {}
    for one in seen:
        where = one.target
        chains = [one_list.chain for one_list in one.outcome.deployments]
        for facts in (parse(sent) for chain in chains for sent in chain):
            key = (facts.issuer.text, facts.extensions.authority_key.key_id, facts.serial)
            issued.setdefault(key, {}).setdefault(facts.sha256, []).append(where)
        if chains and not one.outcome.unanswered:
            place = (where.server_name.text, where.endpoint.port)
            served.setdefault(place, {})[where] = frozenset(chain[0] for chain in chains)
    varying = {(*place, len(found)) for place, found in served.items() if len(set(found.values())) > 1}
    twins = {(digest, min(found[digest])) for found in issued.values() if len(found) > 1 for digest in [min(found)]}
    return varying, twins


@settings(deadline=None)
@given(st.lists(SHOWN, max_size=12, unique_by=lambda shown: shown[:3]))
def test_sifting_loses_nothing_and_adds_nothing(shown) -> None:
    """Whatever is served where, the findings are those that dictionaries of everything give, also from a single reading."""
    seen = [_at(number, *(LEAVES[leaf] for leaf in leaves), port=port, name=name, **more)
            for name, number, port, leaves, more in shown]
    findings = JUDGE.fleet(seen)
    varying, twins = _plainly(seen)
    places = [one.subject for one in findings if one.rule.slug == "cert-varies"]
    assert {(place.fqdn, place.port, place.record.count("; ") + 1) for place in places} == varying
    assert {(one.certificate.sha256, one.target) for one in findings if one.rule.slug == "duplicate-serial"} == twins
    assert JUDGE.fleet(iter(seen)) == findings


def test_a_fleet_beyond_suspicion_is_read_once() -> None:
    """Other passes only where something may be found; issuers that differ in their keys alone take a second to tell apart."""
    twin = _at(2, _leaf("b.example.com", serial=100), name="b.example.com")
    cases = {1: [_at(1, OLD), _at(2, OLD)], 2: [_at(1, OLD), _at(2, NEW)], 3: [_at(1, LEAVES[1]), twin]}
    for passes, seen in cases.items():
        counted = _Counted(seen)
        found = JUDGE.fleet(counted)
        assert (counted.passes, len(found)) == (passes, int(passes > 1))
    other = _leaf("x.example.com", serial=7), _leaf("y.example.com", serial=7, authority=OTHER)
    counted = _Counted([_at(1, other[0], name="x.example.com"), _at(2, other[1], name="y.example.com")])
    assert (JUDGE.fleet(counted), counted.passes) == ((), 2)
