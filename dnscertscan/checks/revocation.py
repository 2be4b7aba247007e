"""Rules about revocation: stapled OCSP responses, must-staple, CRLs."""

from dnscertscan.checks.base import ERROR, INFO, WARNING, rule

_ACCEPTANCE = "RFC 6960 section 3.2 (Signed Response Acceptance Requirements)"

RULES = (
    rule(
        230, "ocsp-revoked", ERROR, "Certificate is revoked (stapled OCSP)",
        why="""
            The server itself staples a valid OCSP response that says its certificate is revoked. Clients that look at the
            response end the connection at once. A CA revokes when the key may be known to others, when the certificate was
            issued wrongly, or when the owner asked for it.
            """,
        fix="""
            Find out from the CA why it was revoked. Make a new key, order a new certificate, install both and reload. If the
            key leaked, treat everything it protected as known.
            """,
        references=("RFC 6960 section 2.2 (Response)", "CA/Browser Forum Baseline Requirements section 4.9.1"),
    ),
    rule(
        231, "ocsp-staple-expired", WARNING, "Stapled OCSP response has expired",
        why="""
            The stapled OCSP response was good once, but its nextUpdate has passed. Strict clients treat it as no answer,
            Firefox as a failure, and a must-staple certificate becomes unusable. The server has not been able to fetch a
            fresh response for days.
            """,
        fix="""
            Let the server reach the CA's OCSP responder (DNS, firewall, proxy), then reload it. For nginx, a resolver has to
            be set; for HAProxy and appliances, look at the job that updates the response. If the CA has ended OCSP, switch
            stapling off.
                openssl s_client -connect ADDRESS:PORT -servername NAME -status </dev/null
            """,
        references=(_ACCEPTANCE, "RFC 6066 section 8 (Certificate Status Request)"),
    ),
    rule(
        232, "ocsp-staple-invalid", WARNING, "Stapled OCSP response is not usable",
        why="""
            The server staples something that is no proof for its certificate: a response for another certificate, one with a
            wrong signature or signer, one from the future, or one that cannot be read. Some clients ignore it, Firefox
            refuses the connection.
            """,
        fix="""
            Reload the server so that it fetches a new response, and check its clock. Where a script stores the response in a
            file, make sure that it belongs to the certificate that is served now and was renewed together with it.
                openssl s_client -connect ADDRESS:PORT -servername NAME -status </dev/null
            """,
        references=(_ACCEPTANCE, "RFC 6960 section 4.2.2.2 (Authorized Responders)"),
    ),
    rule(
        233, "ocsp-unknown", WARNING, "Stapled OCSP response says unknown",
        why="""
            The CA's responder does not know the certificate. That is normal for some minutes after issuance. Later it means
            that the CA lost it, or that the responder asked was the wrong one. Some clients, Firefox among them, refuse the
            connection.
            """,
        fix="""
            Wait an hour and reload the server so that it fetches a new response. If it stays, ask the CA, or have the
            certificate issued again.
            """,
        references=("RFC 6960 section 2.2 (Response)",),
    ),
    rule(
        234, "must-staple-missing", ERROR, "Must-staple certificate without a stapled OCSP response",
        why="""
            The certificate promises that the server always staples an OCSP response, and none came. Clients that honour the
            promise (Firefox does) refuse the connection; the others do not notice. nginx sends the first handshakes after a
            reload without one.
            """,
        fix="""
            Switch stapling on and make sure the server can reach the responder (nginx: ssl_stapling on, resolver; Apache:
            SSLUseStapling on). Or order the next certificate without must-staple: several CAs have ended OCSP, and then it
            cannot work at all.
            """,
        references=("RFC 7633 (TLS Feature Extension)", "RFC 6066 section 8 (Certificate Status Request)"),
    ),
    rule(
        235, "crl-revoked", ERROR, "Certificate is revoked (CRL)",
        why="""
            The issuer's certificate revocation list has this certificate's serial number. Browsers learn of it through the
            lists their vendors push (CRLite, CRLSets and the like), other clients when they load the CRL; they all refuse
            from then on.
            """,
        fix="""
            Find out from the CA why it was revoked. Make a new key, order a new certificate, install both and reload. When an
            intermediate is revoked, everything below it has to be replaced.
            """,
        references=(
            "RFC 5280 section 5 (CRL and CRL Extensions Profile)",
            "CA/Browser Forum Baseline Requirements section 4.9.1",
        ),
    ),
    rule(
        236, "crl-unavailable", INFO, "Revocation list could not be used",
        why="""
            CRL checking was asked for, and the list named in the certificate could not be fetched, read or verified. Whether
            the certificate is revoked is not known, which is not the same as revoked. Most clients go on in this case.
            """,
        fix="""
            Fetch the URL in the message from this host by hand: proxy, firewall and DNS are the usual causes. For a private
            CA, look that its list is published and renewed before its nextUpdate.
                openssl crl -inform DER -in LIST.crl -noout -lastupdate -nextupdate -issuer
            """,
        references=("RFC 5280 section 4.2.1.13 (CRL Distribution Points)", "RFC 5280 section 6.3 (CRL Validation)"),
    ),
)
