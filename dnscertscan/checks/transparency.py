"""Rules about what Certificate Transparency says of a certificate that is served."""

from dnscertscan.checks.base import ERROR, INFO, WARNING, rule
from dnscertscan.model.findings import Scope

_SCT = "RFC 6962 section 3.2 (Structure of the Signed Certificate Timestamp)"
_INCLUSION = "RFC 6962 section 3 (Log Format and Operation: the Maximum Merge Delay)"
_STATIC = "C2SP static-ct-api (The Static Certificate Transparency API)"
_BY_HAND = "dnscertscan ct audit HOST:PORT"

RULES = (
    rule(
        601, "ct-not-logged", ERROR, "Certificate is not shown to be logged",
        why="""
            A certificate of a public CA has to come with signed promises of CT logs (SCTs), in the certificate, in the
            handshake or in a stapled OCSP response. All three were looked at, and no promise that counts was there; if
            a search was asked for, it has ruled out that CT has the certificate all the same. Browsers refuse it. A
            certificate that no log has can have been issued without anybody but its CA knowing.
            """,
        fix=f"""
            Ask the CA why it did not log the certificate, and order one with embedded SCTs: nearly every public CA does that
            without being asked. If nobody here ordered it, treat it as issued by mistake or by an attacker, and report it to
            the CA. If the CA is a private one, give its certificate as private trust anchor.
                {_BY_HAND}
            """,
        references=("RFC 6962 section 3.1 (Log Entries)", "Chrome: Certificate Transparency in Chrome (ct_policy.md)"),
    ),
    rule(
        602, "ct-sct-invalid", ERROR, "SCT is not valid",
        why="""
            The certificate comes with a promise of a log (an SCT) that the log never made in this form: its signature does
            not fit the certificate, or its octets cannot be read. Clients count it for nothing. A CA whose SCTs do not fit has
            issued another certificate than the one it submitted, or has a fault in its issuance; with SCTs sent by the server
            itself it is mostly a file that belongs to another certificate.
            """,
        fix=f"""
            For embedded SCTs have the certificate issued again, and tell the CA. For SCTs that the server sends (TLS
            extension), replace its files by those made for this certificate; for a stapled OCSP response, reload the server.
                {_BY_HAND}
            """,
        references=(_SCT, "RFC 6962 section 3.3 (Including the Signed Certificate Timestamp in the TLS Handshake)"),
    ),
    rule(
        603, "ct-sct-unknown-log", WARNING, "SCT is of a log that the log list does not have",
        why="""
            An SCT names a log that is not in the list of logs in use here, so nothing can be said of it. Browsers count only
            logs of their own lists. Either the list here is too old, or the CA used a log that no browser accepts; with a list
            older than 70 days this is reported as information only.
            """,
        fix="""
            Update the list of logs and look again. If the log is still unknown, ask the CA which log it is.
                dnscertscan ct loglist update
            """,
        references=(_SCT, "Chrome: Certificate Transparency Log List (log_lists.md)"),
    ),
    rule(
        604, "ct-mimic-log", ERROR, "SCT is of a mimic log",
        why="""
            The SCT is signed by one of the mimic logs, whose private keys are published: anybody can make such an SCT, for any
            certificate. Google puts them into the lists served to libraries in order to break programs that trust any list
            they can download. An honest CA never embeds one.
            """,
        fix="""
            Treat the certificate as suspicious: find out who made it and how it got onto the server. Replace it by one of the
            CA that is meant to issue for the name.
            """,
        references=("Chrome: CT log lists and third-party libraries (3p_libraries.md)",),
    ),
    rule(
        605, "ct-policy-chrome", ERROR, "Chrome's CT policy is not met",
        why="""
            Chrome and the browsers built on it refuse a certificate of a public CA without SCTs of enough logs of at least two
            operators: two for a lifetime of up to 180 days, else three. At least one has to be of a log that is qualified,
            usable or read-only today. So a certificate can stop to comply during its life, when logs are retired.
            """,
        fix=f"""
            Have the certificate issued again; the CA then takes logs that count today. The reasons in the message say what is
            missing. If they speak of states of logs, update the list of logs first.
                dnscertscan ct loglist update
                {_BY_HAND}
            """,
        references=("Chrome: Certificate Transparency in Chrome (ct_policy.md)",),
    ),
    rule(
        606, "ct-policy-apple", WARNING, "Apple's CT policy is not met",
        why="""
            Safari and every program that uses the platform's TLS on iOS and macOS refuse a certificate of a public CA without
            SCTs of enough logs, counting at most one (two for more than 180 days) of each operator. It is a warning because
            Apple keeps a list of its own: by the list in use here the policy is not met.
            """,
        fix=f"""
            Have the certificate issued again; the CA then takes logs that count today. Load Apple's own list of logs beside
            the other one to be sure.
                {_BY_HAND}
            """,
        references=("Apple support 103214 (Certificate Transparency policy)",),
    ),
    rule(
        607, "ct-policy-mozilla", WARNING, "Mozilla's CT policy is not met",
        why="""
            Firefox (from 135 on, on the desktop) refuses a certificate of a public CA without SCTs of two logs, three for more
            than 180 days, of two operators. It uses Chrome's list. SCTs of static-ct logs count only when they say where their
            entry is.
            """,
        fix=f"""
            Have the certificate issued again; the CA then takes logs that count today. The reasons in the message say what is
            missing.
                {_BY_HAND}
            """,
        references=("Mozilla wiki: Security/CT (Certificate Transparency in Firefox)",),
    ),
    rule(
        608, "ct-not-included", ERROR, "Log does not have the certificate it promised to have",
        why="""
            A log has signed an SCT, a promise to publish the certificate within its maximum merge delay. That time has
            passed, and by a later tree head that the log signed the entry is not there. Then nobody who watches the log can
            see the certificate, although browsers accept it.
            """,
        fix=f"""
            Keep the SCT and the tree head, and report them to the log's operator and to the ct-policy mailing list. To be safe
            from the day the log is rejected, have the certificate issued again with SCTs of other logs.
                {_BY_HAND} --inclusion
            """,
        references=(_INCLUSION, _STATIC),
    ),
    rule(
        609, "ct-log-misbehaviour", ERROR, "Log contradicts itself",
        why="""
            A CT log has given answers that cannot both be true: two tree heads under its own signature that do not belong to
            one history, or, in this run and in an earlier one, proofs that do not lead to the root it signed. A log that shows
            different people different entries can hide a certificate. Browsers reject such a log, and then its SCTs count for
            nothing.
            """,
        fix="""
            Keep the file with the evidence that the message names, and send it to the ct-policy mailing list. Look which
            certificates depend on this log, and have them issued again with SCTs of other logs.
            """,
        references=("RFC 6962 section 7.3 (Misbehaving Logs)", _STATIC), scope=Scope.FLEET,
    ),
    rule(
        610, "ct-unknown", INFO, "What Certificate Transparency says could not be decided",
        why="""
            Some of the evidence was missing: the certificate of the issuer, the SCTs of a handshake that could not be seen,
            the answer of a log or of a search service, a list of logs that is new enough. Nothing bad follows from that, and
            nothing good either: the verdict is unknown. What concerns the whole run is said once, not for every certificate.
            """,
        fix=f"""
            The message says what was missing and why. Let the server send its whole chain, update the list of logs, or let
            this host reach the log, and look again.
                dnscertscan ct loglist update
                {_BY_HAND}
            """,
        references=(_SCT, _INCLUSION),
    ),
    rule(
        611, "validity-over-cap", ERROR, "Certificate of a public CA is valid for longer than allowed",
        why="""
            A public CA may make a server certificate valid for 398 days at most, for 200 days from 2026-03-15, for 100 days
            from 2027-03-15 and for 47 days from 2029-03-15, by the day on which it begins; both ends count. Chrome and Apple's
            platforms refuse a longer one. It is a misissuance that every watcher of CT logs sees, and the CA has to revoke it
            within five days. Where the audit of CT is on, this takes the place of DCS104 for the certificate served.
            """,
        fix="""
            Order a new certificate with a shorter life, renew it automatically, and replace this one before the CA revokes it.
                openssl x509 -in CERT.pem -noout -dates
            """,
        references=(
            "CA/Browser Forum Baseline Requirements section 6.3.2", "CA/Browser Forum ballot SC-081v3",
            "CA/Browser Forum Baseline Requirements section 4.9.1",
        ),
    ),
)
