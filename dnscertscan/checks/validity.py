"""Rules about when a certificate is valid."""

from dnscertscan.checks.base import ERROR, WARNING, rule

RULES = (
    rule(
        101, "cert-expired", ERROR, "Certificate has expired",
        why="""
            The end of the certificate's validity (notAfter) has passed. Browsers show a full-page warning, and API clients,
            mail servers and mobile applications refuse the connection. When an issuing certificate has expired, every name
            below it fails at once; an expired certificate that no valid path needs is reported as information only, but old
            clients may still choose the path through it.
            """,
        fix="""
            Renew the certificate, install it and reload the service: a file renewed on disk is not served until then. Where
            renewal is automatic, find out why it did not happen (for certbot: its timer, its log, the reload hook).
                certbot renew && systemctl reload nginx
                openssl s_client -connect ADDRESS:PORT -servername NAME </dev/null | openssl x509 -noout -dates
            If the expired certificate is an intermediate or a cross-signed root, take the current list from the CA and
            replace it.
            """,
        references=("RFC 5280 section 4.1.2.5 (Validity)", "RFC 5280 section 6.1.3 (Basic Certificate Processing)"),
    ),
    rule(
        102, "cert-not-yet-valid", ERROR, "Certificate is not yet valid",
        why="""
            The start of the certificate's validity (notBefore) lies in the future. Every client that knows the right time
            refuses it just as it refuses an expired one. The usual causes are a CA host or signing machine with a wrong clock
            and a certificate installed before its time.
            """,
        fix="""
            Check the clock of this scanner and of the CA (timedatectl). Serve the previous certificate until the new one
            begins, or have it issued again with the right start.
                openssl x509 -in CERT.pem -noout -startdate -enddate
            """,
        references=("RFC 5280 section 4.1.2.5 (Validity)",),
    ),
    rule(
        103, "cert-expiring", WARNING, "Certificate expires soon",
        why="""
            The certificate is still valid, but less of its life is left than the policy asks for. By default that is a
            quarter of its lifetime and at most 30 days: automatic renewal at a third of the lifetime never comes this far, so
            for such a certificate this warning means that renewal has already failed. When an issuing certificate on the path
            ends before the leaf, the leaf stops working on that earlier day.
            """,
        fix="""
            Renew now, and look at why it was not renewed before.
                certbot certificates
                certbot renew --dry-run
            For an issuing certificate, install the CA's newer intermediate, or have the leaf issued again below it. If the
            warning is too early or too late for this zone or CA, set the threshold for it in days or per cent.
            """,
        references=("RFC 5280 section 4.1.2.5 (Validity)", "RFC 9773 (ACME Renewal Information)"),
    ),
    rule(
        104, "lifetime-too-long", WARNING, "Validity period is longer than allowed",
        why="""
            A publicly trusted server certificate must not be valid for longer than the limit of the day it was issued: 398
            days from 2020-09-01, 200 days from 2026-03-15, 100 days from 2027-03-15, 47 days from 2029-03-15. Apple's
            platforms and Chrome refuse certificates of public CAs that are over the limit, although OpenSSL based tools
            accept them. Private CAs are not bound by the rule, but Apple's platforms allow their certificates no more than
            825 days.
            """,
        fix="""
            Order a new certificate with a shorter life and renew it automatically. If the certificate comes from a private
            CA, say so in the trust policy of the zone.
            """,
        references=(
            "CA/Browser Forum Baseline Requirements section 6.3.2", "CA/Browser Forum ballot SC-081v3",
            "Apple support HT211025 (limits on trusted certificates)",
            "Apple support HT210176 (requirements for trusted certificates)",
        ),
    ),
    rule(
        105, "time-format", ERROR, "Validity dates cannot be read",
        why="""
            A date in the validity field is not written as the standard demands: UTCTime to 2049 and GeneralizedTime after,
            with seconds, in UTC, without fractions. Some clients refuse the certificate, others read the date in their own
            way; nobody can rely on when it ends.
            """,
        fix="""
            Have the certificate issued again by software that writes the dates correctly. The faulty field can be seen with
                openssl asn1parse -in CERT.pem
            """,
        references=("RFC 5280 section 4.1.2.5.1 (UTCTime)", "RFC 5280 section 4.1.2.5.2 (GeneralizedTime)"),
    ),
    rule(
        106, "rotation-overdue", WARNING, "Certificate was not replaced when it should have been",
        why="""
            The configuration says how often certificates of this CA or zone are replaced, and this one is older than the
            latest healthy replacement. Nothing is broken yet, which is the point: whatever replaces certificates has stopped
            working, and there is still time to repair it at leisure. It becomes an error when less is left than the longest
            time in which nobody may be there (closed).
            """,
        fix="""
            Look at what replaces this certificate: its timer, its log, its way to the CA, and the reload after it; a file
            renewed on disk is not served until then.
                systemctl list-timers
                openssl s_client -connect ADDRESS:PORT -servername NAME </dev/null | openssl x509 -noout -dates
            If certificates are meant to be replaced at another pace, correct validity, rotation or slack in the table
            [[checks.rotation]].
            """,
        references=("RFC 8739 (Short-Term, Automatically Renewed Certificates)", "RFC 9773 (ACME Renewal Information)"),
    ),
    rule(
        107, "validity-unexpected", WARNING, "Validity period is not the one this CA is meant to issue for",
        why="""
            The configuration says for how long certificates of this CA or zone are issued, and this one is valid for longer or
            shorter than that, by more than the slack. A longer one was often made by hand or with another profile: it is
            outside the rotation, and its key stays usable for longer than planned. A shorter one may expire before it is
            replaced.
            """,
        fix="""
            Find out who ordered the certificate and with which profile, and have it issued again by the usual way.
                openssl x509 -in CERT.pem -noout -dates -issuer -serial
            If the CA issues for another time now, correct validity in the table [[checks.rotation]].
            """,
        references=("RFC 5280 section 4.1.2.5 (Validity)",),
    ),
)
