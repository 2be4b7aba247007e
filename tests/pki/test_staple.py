"""Stapled OCSP responses and must-staple."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pki import forge
from pki.changes import make
from pki.forge import DAY, NOW, OcspSpec

from dnscertscan import diagnose
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.diagnose import examine
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.truststore import TrustStore

LEAF_SERIAL = forge.leaf_spec().serial
GOOD = OcspSpec(forge.ca_spec(), LEAF_SERIAL)
RESPONDER = replace(forge.leaf_spec("responder"), private=forge.key("responder")).without(forge.SAN)
DELEGATE = RESPONDER.with_(forge.eku(forge.OCSP_SIGNING))


def _delegated(spec: forge.Spec, parent: forge.Spec) -> OcspSpec:
    return replace(GOOD, signer=spec, certificates=(spec.signed_by(parent),))


def _faults(staple: bytes | None, *changes: str) -> list[Fault]:
    case = make(*changes)
    stores = (TrustStore("own", map(Certificate, case.anchors)),)
    return list(examine(tuple(map(Certificate, case.chain)), case.name, stores, case.at, staple=staple).faults)


OLD = replace(GOOD, this_update=NOW - 9 * DAY, next_update=NOW - 2 * DAY)
CASES: dict[str, tuple[OcspSpec, list[str]]] = {
    "good": (GOOD, []),
    "no-next-update": (replace(GOOD, next_update=None), []),
    "last-second": (replace(GOOD, next_update=NOW), []),
    "among-others": (replace(GOOD, extra=(forge.seq(
        forge.seq(forge.seq(forge.oid("1.3.14.3.2.26")), forge.octets(b"x" * 20), forge.octets(b"y" * 20), forge.integer(5)),
        forge.tlv(0x82), forge.generalized_time(NOW)),)), []),
    "revoked": (replace(GOOD, status=forge.revoked(NOW - 2 * DAY, 1)), ["ocsp-revoked"]),
    "revoked-and-old": (replace(OLD, status=forge.revoked(NOW - 20 * DAY)), ["ocsp-revoked", "ocsp-staple-expired"]),
    "revoked-no-reason": (replace(GOOD, status=forge.revoked(NOW - 2 * DAY, None)), ["ocsp-revoked"]),
    "unknown": (replace(GOOD, status=forge.tlv(0x82)), ["ocsp-unknown"]),
    "expired": (OLD, ["ocsp-staple-expired"]),
    "future": (replace(GOOD, this_update=NOW + DAY, next_update=NOW + 3 * DAY), ["ocsp-staple-invalid"]),
    "other-serial": (replace(GOOD, serial=b"\x77"), ["ocsp-staple-invalid"]),
    "other-issuer": (replace(GOOD, issuer=forge.root_spec()), ["ocsp-staple-invalid"]),
    "bad-signature": (replace(GOOD, spoil=True), ["ocsp-staple-invalid"]),
    "revoked-bad-signature": (replace(GOOD, status=forge.revoked(NOW), spoil=True), ["ocsp-staple-invalid"]),
    "try-later": (replace(GOOD, outer=3), ["ocsp-staple-invalid"]),
    "delegated": (_delegated(DELEGATE, forge.ca_spec()), []),
    "delegated-no-eku": (_delegated(RESPONDER, forge.ca_spec()), ["ocsp-staple-invalid"]),
    "delegated-by-other": (_delegated(DELEGATE, forge.root_spec()), ["ocsp-staple-invalid"]),
    "delegate-expired": (
        _delegated(replace(DELEGATE, not_after=forge.time(NOW - DAY)), forge.ca_spec()), ["ocsp-staple-invalid"]
    ),
    "delegate-garbage": (replace(GOOD, signer=DELEGATE, certificates=(b"\x30\x03\x02\x01\x05",)), ["ocsp-staple-invalid"]),
}


@pytest.mark.parametrize("label", CASES)
def test_what_a_staple_says(label: str) -> None:
    """Each kind of response yields its fault, at the leaf."""
    spec, expected = CASES[label]
    faults = _faults(spec.der)
    assert [fault.slug for fault in faults] == expected
    assert all(fault.certificate and fault.certificate.position == 0 for fault in faults)


def test_revocation_names_time_and_reason() -> None:
    """Who was revoked, when, and why."""
    (fault,) = _faults(replace(GOOD, status=forge.revoked(NOW - 2 * DAY, 1)).der)
    assert (NOW - 2 * DAY).isoformat() in fault.message
    assert "keyCompromise" in fault.message
    assert "serial 112233" in fault.message


@pytest.mark.parametrize(
    "staple", [b"", b"\x30", b"\x30\x00", b"x" * 300, b"\x30\x03\x0a\x01\x00", b"\x30\x83\xff\xff\xff" + b"\0" * 200_000]
)
def test_garbage_is_not_usable(staple: bytes) -> None:
    """Octets that are no response are said so."""
    assert [fault.slug for fault in _faults(staple)] == ["ocsp-staple-invalid"]


def test_every_cut_of_a_response_is_survived() -> None:
    """However a response is cut off, it ends in one fault."""
    whole = _delegated(DELEGATE, forge.ca_spec()).der
    for size in range(len(whole)):
        assert [fault.slug for fault in _faults(whole[:size])] == ["ocsp-staple-invalid"]


def test_must_staple() -> None:
    """A certificate that asks for stapling needs it; a good staple satisfies it (RFC 7633)."""
    assert [fault.slug for fault in _faults(None, "must-staple")] == ["must-staple-missing"]
    assert _faults(GOOD.der, "must-staple") == []


def test_an_unknown_issuer_is_one_fault_not_two() -> None:
    """Without the issuer the staple cannot be judged: only the missing issuer is reported."""
    assert [fault.slug for fault in _faults(GOOD.der, "missing-intermediate")] == ["issuer-not-found"]


def test_the_public_function_takes_a_staple() -> None:
    """Given the staple, `diagnose` judges it, and must-staple then counts in full."""
    case = make("must-staple")
    assert diagnose(case.chain, case.name, case.anchors, case.at, staple=GOOD.der).problems == ()
    bad = diagnose(case.chain, case.name, case.anchors, case.at, staple=replace(GOOD, status=forge.revoked(NOW - DAY)).der)
    assert (bad.valid, [problem.code for problem in bad.problems]) == (False, ["DCS230"])
    later = diagnose(case.chain, case.name, case.anchors, NOW + timedelta(days=20), staple=GOOD.der)
    assert [problem.slug for problem in later.problems] == ["ocsp-staple-expired", "must-staple-missing"]
