"""Rules at their edges: junk beside a good path, self-issued authorities, staples no client takes, old caps, URI names."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pki import forge, openssl
from pki.changes import make
from pki.forge import DAY, NOW, Extension, OcspSpec, Spec
from pki.worlds import Case, World, sound

from dnscertscan import Diagnosis, diagnose

ROOT, ISSUER, LEAF = forge.root_spec(), forge.ca_spec(), forge.leaf_spec()
GOOD = OcspSpec(ISSUER, LEAF.serial)
NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
SECOND = timedelta(seconds=1)


def _look(case: Case, *, staple: bytes | None = None) -> Diagnosis:
    return diagnose(case.chain, case.name, case.anchors, case.at, staple=staple)


def _slugs(found: Diagnosis) -> list[str]:
    return [problem.slug for problem in found.problems]


def _leaf(*extensions: Extension, ca: Sequence[Extension] = ()) -> Case:
    return replace(sound(), leaf=LEAF.with_(*extensions), cas=(ISSUER.with_(*ca),)).build()


@pytest.mark.parametrize("position", [1, 2])
@pytest.mark.parametrize("junk", [b"\x30\x03\x02\x01\x07", b"", b"no certificate"])
def test_junk_in_the_list_makes_the_chain_bad(junk: bytes, position: int) -> None:
    """A client reads the whole list first: one entry that is no certificate ends the handshake, whatever path there is."""
    case = make()
    chain = [*case.chain]
    chain.insert(position, junk)
    found = diagnose(chain, case.name, case.anchors, case.at)
    assert (found.valid, [(problem.slug, problem.severity) for problem in found.problems]) == (
        False, [("cert-unparseable", "error")]
    )
    assert f"certificate {position} " in found.problems[0].message


def _rollover(digest: str, kind: str = "P-256") -> Case:
    """A root's name over another key, signed by the root: self-issued, not self-signed."""
    root = forge.root_spec(kind=kind)
    between = replace(forge.ca_spec(kind=kind), subject=root.subject, digest=digest, aki=None)
    return World(forge.leaf_spec(kind=kind), (between,), root).build()


@pytest.mark.parametrize(("digest", "kind"), [("sha1", "P-256"), ("sha1", "RSA2048"), ("md5", "RSA2048")])
def test_a_weak_signature_on_a_self_issued_authority(digest: str, kind: str, tmp_path: Path) -> None:
    """The name twice does not make a signature one that nobody relies on."""
    case = _rollover(digest, kind)
    found = _look(case)
    assert (found.valid, openssl.verify(case, tmp_path)[0]) == (False, False)
    assert [(p.slug, p.certificate.position) for p in found.problems if p.certificate and p.severity == "error"] == [
        ("weak-signature", 1)
    ]
    assert "weak-signature" not in _slugs(_look(_rollover("sha256", kind)))


def test_a_weak_signature_of_the_own_key_is_no_fault() -> None:
    """Of a root, trusted or not, nobody relies on the signature."""
    old = replace(ROOT, digest="sha1")
    for trusted in (True, False):
        world = replace(sound(), root=old, trusted=trusted, send=lambda built: built)
        assert "weak-signature" not in _slugs(_look(world.build()))


STALE = replace(GOOD, this_update=NOW - 10 * DAY - SECOND, next_update=None)
UNUSABLE: dict[str, tuple[bytes, list[str]]] = {
    "empty": (b"", []),
    "garbage": (b"x" * 300, ["ocsp-staple-invalid"]),
    "try later": (replace(GOOD, outer=3).der, ["ocsp-staple-invalid"]),
    "expired": (replace(GOOD, this_update=NOW - 9 * DAY, next_update=NOW - DAY).der, ["ocsp-staple-expired"]),
    "other serial": (replace(GOOD, serial=b"\x77").der, ["ocsp-staple-invalid"]),
    "bad signature": (replace(GOOD, spoil=True).der, ["ocsp-staple-invalid"]),
    "unknown": (replace(GOOD, status=forge.tlv(0x82)).der, ["ocsp-unknown"]),
    "stale": (STALE.der, ["ocsp-staple-expired"]),
}


@pytest.mark.parametrize("label", UNUSABLE)
def test_must_staple_needs_a_response_that_can_be_used(label: str) -> None:
    """A response no client takes is as good as none where the certificate asks for one (RFC 7633 4.2.3)."""
    staple, rows = UNUSABLE[label]
    found = _look(make("must-staple"), staple=staple)
    assert (found.valid, _slugs(found)) == (False, [*rows, "must-staple-missing"])
    last = found.problems[-1]
    assert last.severity == "error"
    assert ("is not usable" if rows else "stapled nothing") in last.message
    without = _look(make(), staple=staple)
    assert (without.valid, _slugs(without)) == (True, rows or ["ocsp-staple-invalid"])


def test_a_usable_or_revoking_response_satisfies_must_staple() -> None:
    """A good response is what was asked for; that it may revoke is another fault, not a missing response."""
    assert _slugs(_look(make("must-staple"), staple=GOOD.der)) == []
    assert _slugs(_look(make("must-staple"), staple=replace(GOOD, status=forge.revoked(NOW - DAY)).der)) == ["ocsp-revoked"]


def test_a_response_without_end_gets_old_after_ten_days() -> None:
    """To the second, and as a warning."""
    assert _slugs(_look(make(), staple=replace(STALE, this_update=NOW - 10 * DAY).der)) == []
    (problem,) = _look(make(), staple=STALE.der).problems
    assert (problem.slug, problem.severity) == ("ocsp-staple-expired", "warning")


def test_all_unknown_critical_extensions_are_named() -> None:
    """Whoever issues the certificate anew wants to know of all at once; of very many the first and how many more."""
    kinds = [f"1.3.6.1.4.1.55555.9.{number}" for number in range(10)]
    (problem,) = _look(_leaf(*(Extension(kind, b"\x05\x00", True) for kind in kinds[:2]))).problems
    assert problem.slug == "unknown-critical-ext"
    assert f"extensions {kinds[0]}, {kinds[1]}, which" in problem.message
    (problem,) = _look(_leaf(*(Extension(kind, b"\x05\x00", True) for kind in kinds))).problems
    assert f"{kinds[7]} and 2 more" in problem.message


def test_critical_ocsp_nocheck_is_known(tmp_path: Path) -> None:
    """As in OpenSSL; beside it an unknown one is still found, alone."""
    case = _leaf(Extension(NO_CHECK, b"\x05\x00", True))
    assert (_look(case).valid, openssl.verify(case, tmp_path)[0]) == (True, True)
    (problem,) = _look(_leaf(Extension(NO_CHECK, b"\x05\x00", True), Extension(forge.UNKNOWN, b"\x05\x00", True))).problems
    assert f"extension {forge.UNKNOWN}, which" in problem.message


def _lifetime(start: datetime, end: datetime) -> list[str]:
    """``end`` is the last second."""
    span = {"not_before": forge.time(start), "not_after": forge.time(end)}
    root, leaf = (replace(spec, **span) for spec in (ROOT, LEAF))
    return _slugs(diagnose([leaf.signed_by(root)], "www.example.com", [root.signed_by(root)], start + DAY))


@pytest.mark.parametrize(("start", "end"), [
    (datetime(2012, 7, 1, tzinfo=UTC), datetime(2017, 7, 1, tzinfo=UTC)),
    (datetime(2015, 3, 31, 23, 59, 59, tzinfo=UTC), datetime(2020, 3, 31, 23, 59, 59, tzinfo=UTC)),
    (datetime(2015, 4, 1, tzinfo=UTC), datetime(2018, 7, 1, tzinfo=UTC)),
    (datetime(2015, 11, 30, 8, tzinfo=UTC), datetime(2019, 2, 28, 8, tzinfo=UTC)),
    (datetime(2016, 11, 30, 8, tzinfo=UTC), datetime(2020, 2, 29, 8, tzinfo=UTC)),
    (datetime(2018, 2, 28, 23, 59, 59, tzinfo=UTC), datetime(2021, 5, 28, 23, 59, 59, tzinfo=UTC)),
])
def test_caps_in_months(start: datetime, end: datetime) -> None:
    """Until one second before the same day of the month, or the last day of a shorter one: both ends count."""
    assert _lifetime(start, end - SECOND) == []
    assert _lifetime(start, end) == ["lifetime-too-long"]


def test_no_cap_before_the_first() -> None:
    """Before July 2012 nothing was agreed."""
    assert _lifetime(datetime(2012, 6, 30, 23, 59, 59, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)) == []


def _uri(text: str, *, permitted: str = "", excluded: str = "") -> list[str]:
    names = forge.san("www.example.com", forge.general(text, 0x86))
    bases = [[forge.general(host, 0x86)] if host else [] for host in (permitted, excluded)]
    limits = [forge.constraints(*bases)] if any(bases) else []
    return _slugs(_look(_leaf(names, ca=limits)))


HOSTLESS = (
    "urn:isbn:123", "mailto:a@good.example", "mailto:a?x=://good.example/", "http:///path", "https://192.0.2.1/",
    "//good.example", "http://[2001:db8::1]:80/", "http://user@/x", "http://:80", "http://1.2.3/", "http://0x7f000001/", "",
)


@pytest.mark.parametrize("text", HOSTLESS)
def test_a_uri_without_host_name_under_a_uri_constraint(text: str) -> None:
    """Such a certificate must be rejected (RFC 5280 4.2.1.10), whichever side is constrained; unconstrained it may be there."""
    assert _uri(text) == []
    assert _uri(text, permitted="good.example") == ["nc-permitted"]
    assert _uri(text, excluded="bad.example") == ["nc-excluded"]


@pytest.mark.parametrize("text", [
    "http://good.example", "http://good.example/", "HTTP://GOOD.example:8080/x", "ftp://me@good.example?x@bad.example/",
    "http://good.example#x@bad.example", "http://good.example?://bad.example/", "http://good.example/?@bad.example",
])
def test_the_host_of_a_uri_ends_at_its_path_query_or_fragment(text: str) -> None:
    """What looks like a host behind that is none."""
    assert _uri(text, permitted="good.example") == []
    assert _uri(text, excluded="bad.example") == []
    assert _uri(text, permitted="bad.example") == ["nc-permitted"]
    assert _uri(text, excluded="good.example") == ["nc-excluded"]


def test_version_1_with_extensions_is_said_so() -> None:
    """A version 1 certificate may have extensions by mistake; the message tells what is there."""
    def message(leaf: bytes) -> str:
        found = diagnose([leaf], "www.example.com", [], NOW)
        return next(problem.message for problem in found.problems if problem.slug == "v1-cert")

    plain: Spec = replace(LEAF, version=1)
    assert "has no extensions at all" in message(plain.signed_by(ISSUER))
    with_extensions = LEAF.signed_by(ISSUER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x00", 1)
    assert "has extensions, which only version 3 may have" in message(with_extensions)
