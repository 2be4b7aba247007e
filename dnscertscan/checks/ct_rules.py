"""Rules about what Certificate Transparency has against what is served and published."""

from dnscertscan.checks.base import ERROR, INFO, WARNING, rule
from dnscertscan.model.findings import Scope

_LOGS = "RFC 6962 section 5.4 (Auditor, Monitor)"
_BR = "CA/Browser Forum Baseline Requirements"

RULES = (
    rule(
        620, "ct-superseded", WARNING, "Renewed, but the old certificate is still served",
        why="""
            CT has a newer certificate for the same names, and this address still serves the one before. The renewal worked and
            the roll-out did not: the file was not copied, or the server was not reloaded. When the old one expires the
            address fails, while every check of the other addresses is green.
            """,
        fix="""
            If the newer certificate is yours, install it on the address in the message, and reload the server. If each site
            has one of its own by design, accept this finding.
                openssl s_client -connect ADDRESS:PORT -servername NAME </dev/null | openssl x509 -noout -serial -enddate
            """,
        references=(_LOGS, "RFC 9525 section 6 (Verifying Service Identity)"),
        scope=Scope.FLEET,
    ),
    rule(
        621, "ct-never-served", WARNING, "Certificate in CT was never seen served",
        why="""
            CT has a valid certificate for names of these zones that no server showed for days after it was issued. Perhaps it
            was never installed, or it is used on a port or a network that was not scanned. A certificate that nobody needs is
            one more key that can be lost.
            """,
        fix="""
            Find out who ordered it. Install it, add its file to the known ones (--ct-known), or have it revoked.
            """,
        references=(_LOGS, f"{_BR} section 4.9.1 (Circumstances for Revocation)"),
        scope=Scope.FLEET,
    ),
    rule(
        622, "ct-unknown-key", WARNING, "Certificate in CT has a key nobody here knows",
        why="""
            CT has a valid certificate for names of these zones. Its key is served nowhere and is not among the known ones.
            Whoever has that key can pose as the name: it may be a forgotten service of your own, a provider who acts for you, or
            somebody who took over a name or an account. Where a renewal may have left it behind, it is a note and the message
            says why; where each certificate came when half the life of the one before was over, nothing is said.
            """,
        fix="""
            Find out who ordered it. If it is yours, name its certificate, key or CSR to the scan (--ct-known FILE). If it is not,
            have it revoked by the CA and look for the way it was validated: DNS records, web root, mailbox.
            """,
        references=(_LOGS, f"{_BR} section 4.9.1.1 (Reasons for Revoking a Subscriber Certificate)"),
        scope=Scope.FLEET,
    ),
    rule(
        623, "ct-rogue-issuer", ERROR, "Certificate in CT is of a CA that may not issue",
        why="""
            The configuration names the CAs that issue for these zones, and CT has a valid certificate of another one. Either
            somebody got a certificate behind your back, or a provider uses a CA of its own. CAs are told by their key, not by
            their name.
            """,
        fix="""
            Have the certificate revoked by the CA in the message, and publish CAA records that name your CAs only. If the CA is
            right, add the key in the message to issuers in [ct].
            """,
        references=(_LOGS, "RFC 8659 section 4 (Mechanism)", f"{_BR} section 4.9.3 (Procedure for Revocation Request)"),
        scope=Scope.FLEET,
    ),
    rule(
        624, "ct-caa-denied", ERROR, "Certificate in CT is of a CA that CAA does not allow",
        why="""
            The CAA records of a name in the certificate do not name the CA that issued it. Records are read as they are now; a
            CA reads them at the moment it issues, so a change since then explains it. Otherwise the CA issued against the
            will of the domain, which it must report and undo.
            """,
        fix="""
            If the records were the same when the certificate was issued, report it to the CA. If they were changed since, replace
            the certificate, or allow the CA again.
                dig NAME CAA
            """,
        references=("RFC 8659 section 3 (Relevant Resource Record Set)", f"{_BR} section 3.2.2.8 (CAA Records)"),
        scope=Scope.FLEET,
    ),
    rule(
        625, "ct-serial-conflict", ERROR, "One CA gave one serial number to different certificates",
        why="""
            Two certificates of one CA have the same serial number and are not the same issuance: their signed contents differ.
            Revocation goes by issuer and serial number, so that one cannot be revoked without the other. No public CA may ever do
            that; it is a serious fault of the CA, or a source told something wrong.
            """,
        fix="""
            Report both certificates to the CA and have them replaced. They can be fetched from a search service by the digests in
            the message.
            """,
        references=("RFC 5280 section 4.1.2.2 (Serial Number)", f"{_BR} section 7.1.2.7", "RFC 6962 section 3.1"),
        scope=Scope.FLEET,
    ),
    rule(
        626, "ct-orphan-name", WARNING, "Certificate in CT is for a name the zone does not have",
        why="""
            CT has a valid certificate for a name in one of these zones that no record publishes. The name was removed and the
            certificate forgotten, or somebody got it by means of a record that was there for a short time. Where an alias still
            points to something that is gone, others may take that over and serve the name.
            """,
        fix="""
            Have the certificate revoked if the name is gone for good. Publish the name if it was forgotten; remove an alias that
            leads nowhere.
            """,
        references=(_LOGS, "RFC 1034 section 3.6.2 (Aliases and canonical names)"),
        scope=Scope.FLEET,
    ),
    rule(
        627, "ct-wildcard-name", INFO, "CT knows names under a wildcard that were not scanned",
        why="""
            A wildcard record stands for any name, so that the zone does not tell which ones are in use. Certificates in CT do.
            Those names were not looked at, and servers may answer for each of them with another certificate.
            """,
        fix="""
            Scan them as well: the option --ct-names adds them as targets.
            """,
        references=("RFC 4592 section 2.1.1 (Wildcard Domain Name and Asterisk Label)", _LOGS),
        scope=Scope.FLEET,
    ),
    rule(
        628, "caa-no-account", INFO, "CAA lets every account of the CA issue",
        why="""
            A CAA record that names only the CA lets every customer of that CA try. With accounturi the CA issues for one
            account only, so that a hijacked route or a web server that was broken into is not enough. From 2027-03-15 on public
            CAs have to obey it. A record that names an account which is not yours is a warning.
            """,
        fix="""
            Add the URI of your ACME account to the record; the ACME client shows it.
                example.com. CAA 0 issue "ca.example; accounturi=https://ca.example/acct/1"
            """,
        references=("RFC 8657 section 3 (accounturi)", "RFC 8659 section 4.2 (CAA issue Property)"),
        scope=Scope.FLEET,
    ),
    rule(
        629, "ct-source-unavailable", WARNING, "Search service for CT gave no answer",
        why="""
            A service that was asked what CT has gave no answer that can be used: an error, a web page, silence. What it would
            have told is unknown, and nothing is concluded from what is missing. Certificates that somebody else got for your
            names stay unseen as long as no source answers.
            """,
        fix="""
            Run again later, with a cache so that each run goes on where the last one ended, or name another source in [ct]
            search.
            """,
        references=("RFC 6962 section 5 (Clients)",),
        scope=Scope.FLEET,
    ),
    rule(
        630, "ct-validity-over-cap", ERROR, "Certificate in CT is valid for longer than allowed",
        why="""
            A public CA issued a certificate that lives longer than the limit of the day it was made: 398 days, 200 from
            2026-03-15 on, 100 from 2027-03-15 on, 47 from 2029-03-15 on. Browsers refuse it. It was not seen served; one that is
            served is reported for its address.
            """,
        fix="""
            Do not install it. Order a shorter one, and report this one to the CA, which has to revoke it.
            """,
        references=(f"{_BR} section 6.3.2", "CA/Browser Forum ballot SC-081v3"),
        scope=Scope.FLEET,
    ),
    rule(
        631, "ct-search-incomplete", INFO, "What CT has is not known in full",
        why="""
            A search was cut off, certificates were listed and not handed out, or the CA of one is not known. What depends on
            that is undecided: neither an error nor a proof that all is well.
            """,
        fix="""
            Run again: searches go on where they ended. Give them more time (budget in [ct]), or another source.
            """,
        references=("RFC 6962 section 5 (Clients)",),
        scope=Scope.FLEET,
    ),
)
