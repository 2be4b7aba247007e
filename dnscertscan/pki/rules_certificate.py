"""What each certificate of a path must be by itself: readable, in time, strong enough, fit to be issuer."""

from collections.abc import Iterator
from datetime import datetime

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Severity
from dnscertscan.pki import extensions as ext
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.parse import Facts
from dnscertscan.pki.signatures import algorithm_of, signed_itself
from dnscertscan.pki.wording import fault, moment, who

_RENEW = (
    "renew it and install the new certificate", "install the CA's current intermediate certificate in its place",
    "use a chain to a current root, or update the trust store",
)
# id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1): OpenSSL knows it, and it asks nothing of a client that sees it in a chain.
_OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5"


def _role(ref: CertificateRef, is_anchor: bool) -> int:
    return 2 if is_anchor else int(ref.position != 0)


def certificate_faults(facts: Facts, ref: CertificateRef, at: datetime, *, is_anchor: bool) -> Iterator[Fault]:
    """Faults of one certificate wherever it stands; an anchor's own signature and form do not matter (RFC 5280 6.1.1 d)."""
    if facts.problem:
        yield fault("cert-unparseable", ref, f"{who(ref)}: {facts.problem}", "replace it by an intact DER certificate")
        return
    yield from date_faults(facts, ref, at, is_anchor=is_anchor)
    if facts.broken:
        yield fault("cert-unparseable", ref, f"{who(ref)}: {'; '.join(facts.broken)}", "ask the CA to issue it anew")
    unknown = [ext.NAMES.get(kind, kind) for kind in facts.extensions.unknown_critical if kind != _OCSP_NO_CHECK]
    if unknown:
        many = "s" if len(unknown) > 1 else ""
        shown = ", ".join(unknown[:8]) + (f" and {len(unknown) - 8} more" if len(unknown) > 8 else "")
        fact = f"{who(ref)} has critical extension{many} {shown}, which clients do not process"
        yield fault("unknown-critical-ext", ref, fact, "issue it without, or with what clients may ignore marked not critical")
    yield from _key_faults(facts, ref)
    if is_anchor and facts.algorithms_differ:  # of other certificates the signature is checked, and this with it
        fact = f"the two signature algorithm fields of {who(ref)} differ"
        yield fault("signature-failure", ref, fact, "get the root as its CA publishes it (RFC 5280 4.1.1.2)")
    if not is_anchor:
        yield from _form_faults(facts, ref)


def date_faults(
    facts: Facts, ref: CertificateRef, at: datetime, *, is_anchor: bool = False, severity: Severity | None = None
) -> Iterator[Fault]:
    """RFC 5280 4.1.2.5: both ends are part of the validity period, to the second."""
    for problem in facts.time_problems:
        yield fault("time-format", ref, f"{who(ref)}: {problem}", "issue it anew with RFC 5280 times", severity)
    second = at.replace(microsecond=0)
    if facts.not_after is not None and second > facts.not_after:
        fact = f"{who(ref)} expired at {moment(facts.not_after)}"
        yield fault("cert-expired", ref, fact, _RENEW[_role(ref, is_anchor)], severity)
    if facts.not_before is not None and second < facts.not_before:
        fact = f"{who(ref)} is valid from {moment(facts.not_before)} on"
        step = "wait, install the former certificate, or correct the clock of whoever issued it"
        yield fault("cert-not-yet-valid", ref, fact, step, severity)


def _key_faults(facts: Facts, ref: CertificateRef) -> Iterator[Fault]:
    key = facts.key
    if key.weakness:
        yield fault("weak-key", ref, f"{who(ref)}: {key.weakness}", "issue it anew for an EC P-256 or RSA 2048 key")
    if key.refused:
        fact = f"{who(ref)}: {key.refused}, which clients refuse"
        yield fault("unsupported-alg", ref, fact, "issue it anew for a key on the named curve P-256", Severity.ERROR)


def _form_faults(facts: Facts, ref: CertificateRef) -> Iterator[Fault]:
    signed_with = algorithm_of(facts.algorithm)
    if signed_with.weak and not _is_self_signed(facts):
        yield fault("weak-signature", ref, f"{who(ref)} is signed with {signed_with.label}", "issue it anew with SHA-256")
    signature = "" if signed_with.web or signed_with.weak else f"signature {signed_with.label}"
    off_web = [text for text in (facts.key.off_web, signature) if text]
    if off_web:
        fact = f"{who(ref)}: {' and '.join(off_web)}"
        yield fault("unsupported-alg", ref, fact, "for browsers, issue it anew with ECDSA P-256 or RSA 2048 and SHA-256")
    if facts.quirks:
        fact = f"{who(ref)}: {'; '.join(facts.quirks[:8])}"
        yield fault("cert-encoding", ref, fact, "ask the CA to issue it anew; strict clients refuse it")
    if facts.version == 1:
        why = "has extensions, which only version 3 may have" if facts.extensions.present else "has no extensions at all"
        yield fault("v1-cert", ref, f"{who(ref)} {why}", "issue a version 3 certificate")
    elif not facts.names_itself and ext.AUTHORITY_KEY not in facts.extensions.present:
        fact = f"{who(ref)} does not say which key of its issuer signed it"
        yield fault("missing-aki", ref, fact, "issue it anew with that extension (RFC 5280 4.2.1.1); strict clients refuse it")


def _is_self_signed(facts: Facts) -> bool:
    """Its signature is its own key's, so nobody relies on it; the same name twice is not enough (RFC 5280 3.2)."""
    return facts.is_self_issued and signed_itself(facts)


def issuer_faults(facts: Facts, ref: CertificateRef, *, is_last: bool) -> Iterator[Fault]:
    """What a certificate needs to issue others (RFC 5280 6.1.4 k, n), with OpenSSL's grace for old roots at the end of a path."""
    basic, usage = facts.extensions.basic, facts.extensions.usage
    old_root = is_last and basic is None and ext.BASIC not in facts.extensions.present and (
        (facts.version == 1 and facts.is_self_issued) or usage is not None
    )
    if not facts.is_ca and not old_root and not any("basicConstraints" in text for text in facts.broken):
        why = "has basicConstraints CA:FALSE" if basic is not None else "has no basicConstraints"
        fact = f"{who(ref)} {why}, yet it issued another certificate of the chain"
        yield fault("invalid-ca", ref, fact, "use an issuer whose certificate has CA:TRUE")
    if usage is not None and not usage & ext.CERT_SIGN:
        fact = f"{who(ref)} issued another certificate of the chain without the right to"
        yield fault("keyusage-no-certsign", ref, fact, "use a CA certificate whose key usage includes keyCertSign")


def eku_faults(facts: Facts, ref: CertificateRef) -> Iterator[Fault]:
    """Extended key usage, on the leaf and on every CA that has it (RFC 5280 4.2.1.12 as clients apply it along the path)."""
    purposes = facts.extensions.extended
    if purposes is None or ext.SERVER_AUTH in purposes or ext.GATED_CRYPTO.intersection(purposes):
        return
    shown = ", ".join(ext.PURPOSES.get(purpose, purpose) for purpose in purposes[:6]) or "empty"
    note = " (anyExtendedKeyUsage is not enough for OpenSSL, and public CAs may not use it)" if ext.ANY_USAGE in purposes else ""
    fact = f"extended key usage of {who(ref)} is {shown}, serverAuth is missing{note}"
    yield fault("wrong-eku", ref, fact, "issue it with extended key usage serverAuth")
