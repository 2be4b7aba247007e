"""What a stapled OCSP response says about the leaf, and whether it may say so (RFC 6960 3.2, 4.2.2.2; RFC 7633)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import new as new_hash

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Severity
from dnscertscan.pki import der
from dnscertscan.pki.extensions import OCSP_SIGNING
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.ocsp import Response, Single, Status, parse_response
from dnscertscan.pki.parse import Facts, parse
from dnscertscan.pki.signatures import verify
from dnscertscan.pki.wording import fault, moment, quoted, who

_HASHES = {
    "1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
# RFC 6960 4.2.2.1: without nextUpdate newer information is there at any time. Ten days are the longest that the Baseline
# Requirements (4.9.10) let a response live.
_LONGEST_WITHOUT_NEXT = timedelta(days=10)
_UNUSABLE = frozenset({"ocsp-staple-invalid", "ocsp-staple-expired", "ocsp-unknown"})
_STEP = "let the server fetch a new response from the CA's responder, or turn stapling off"


def no_staple_fault(ref: CertificateRef, *, handshake_seen: bool) -> Fault:
    """A certificate with the TLS feature status_request and no staple (RFC 7633 4); a warning where nobody saw the handshake."""
    seen = "the server stapled nothing" if handshake_seen else "what the server staples is not known here"
    fact = f"{who(ref)} has the TLS feature status_request, {seen}"
    step = "turn OCSP stapling on, or issue the certificate without that feature"
    return fault("must-staple-missing", ref, fact, step, None if handshake_seen else Severity.WARNING)


def staple_faults(leaf: Facts, ref: CertificateRef, issuer: Facts | None, staple: bytes, at: datetime) -> Iterator[Fault]:
    """Faults of the staple. Without a known issuer its signature cannot be judged, and the missing issuer is a fault already.

    A certificate with the TLS feature status_request needs a valid response (RFC 7633 4.2.3): what cannot be used is as good as
    none, and no octets are none.
    """
    must_staple = leaf.extensions.must_staple
    if must_staple and not staple:
        yield no_staple_fault(ref, handshake_seen=True)
        return
    unusable = False
    for found in _judged(leaf, ref, issuer, staple, at):
        unusable = unusable or found.slug in _UNUSABLE
        yield found
    if must_staple and unusable:
        fact = f"{who(ref)} has the TLS feature status_request, the stapled response is not usable"
        yield fault("must-staple-missing", ref, fact, "let the server fetch a new response, or issue it without that feature")


def _judged(leaf: Facts, ref: CertificateRef, issuer: Facts | None, staple: bytes, at: datetime) -> Iterator[Fault]:
    try:
        response = parse_response(staple)
    except der.DerError as error:
        yield _invalid(ref, f"it cannot be parsed ({error})")
        return
    if isinstance(response, str):
        yield _invalid(ref, f"the responder answered {response}")
        return
    single = next((candidate for candidate in response.singles if _is_about(candidate, leaf, issuer)), None)
    if single is None:
        yield _invalid(ref, f"it is about another certificate than {who(ref)}")
    elif issuer is not None:
        problem = _signer_problem(response, issuer, at)
        if problem:
            yield _invalid(ref, f"{problem} (for {who(ref)})")
        else:
            yield from _said(single, ref, at)


def _said(single: Single, ref: CertificateRef, at: datetime) -> Iterator[Fault]:
    second = at.replace(microsecond=0)
    if single.status is Status.REVOKED and single.revoked_at is not None:
        fact = f"{who(ref)} was revoked at {moment(single.revoked_at)} ({single.reason}), says the stapled OCSP response"
        yield fault("ocsp-revoked", ref, fact, "replace the certificate, with a new key if the old one may be known to others")
    if single.next_update is not None and second > single.next_update:
        fact = f"for {who(ref)} it was to be replaced by {moment(single.next_update)}"
        yield fault("ocsp-staple-expired", ref, fact, _STEP)
    elif single.next_update is None and second > single.this_update + _LONGEST_WITHOUT_NEXT:
        fact = f"for {who(ref)} it is of {moment(single.this_update)}, over 10 days ago, and does not say how long it is good"
        yield fault("ocsp-staple-expired", ref, fact, _STEP)
    elif second < single.this_update:
        yield _invalid(ref, f"for {who(ref)} it is valid from {moment(single.this_update)} on")
    elif single.status is Status.UNKNOWN:
        step = "ask the CA; replace the certificate if it was never issued"
        yield fault("ocsp-unknown", ref, f"the responder does not know {who(ref)}", step)


def _invalid(ref: CertificateRef, fact: str) -> Fault:
    return fault("ocsp-staple-invalid", ref, fact, _STEP)


def _is_about(single: Single, leaf: Facts, issuer: Facts | None) -> bool:
    algorithm = _HASHES.get(single.hash_oid)
    if algorithm is None or single.serial != leaf.serial:
        return False
    if new_hash(algorithm, leaf.issuer.der).digest() != single.name_hash:
        return False
    return issuer is None or new_hash(algorithm, issuer.key.octets).digest() == single.key_hash


def _signer_problem(response: Response, issuer: Facts, at: datetime) -> str:
    """Empty when the issuer or a responder it authorised signed the response."""
    if verify(issuer.key, response.algorithm, response.signature, response.signed):
        return ""
    problem = "its signature is not of the issuer"
    for certificate in response.certificates:
        responder = parse(certificate)
        if responder.problem or not verify(responder.key, response.algorithm, response.signature, response.signed):
            continue
        problem = _delegation_problem(responder, issuer, at)
        if not problem:
            return ""
    return problem


def _delegation_problem(responder: Facts, issuer: Facts, at: datetime) -> str:
    name = f'responder "{quoted(responder.subject.text)}"'
    signed = verify(issuer.key, responder.algorithm, responder.signature, responder.signed)
    if responder.issuer.key != issuer.subject.key or not signed:
        return f"{name} was not authorised by the issuer itself"
    if OCSP_SIGNING not in (responder.extensions.extended or ()):
        return f"the certificate of {name} lacks the extended key usage OCSPSigning"
    start, end = responder.not_before, responder.not_after
    if start is None or end is None or not start <= at.replace(microsecond=0) <= end:
        return f"the certificate of {name} is not within its validity period"
    return ""
