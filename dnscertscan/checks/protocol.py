"""Rules about the TLS handshake itself."""

from dnscertscan.checks.base import INFO, WARNING, rule

RULES = (
    rule(
        401, "legacy-tls-only", WARNING, "Server offers only TLS 1.1 or older",
        why="""
            The server speaks neither TLS 1.2 nor TLS 1.3. All current browsers and most libraries have switched the older
            versions off and cannot connect, and what still connects uses protocols with known weaknesses. The certificate was
            read with old software and judged all the same.
            """,
        fix="""
            Enable TLS 1.2 and TLS 1.3 and switch TLS 1.0 and 1.1 off. For nginx: ssl_protocols TLSv1.2 TLSv1.3; for Apache:
            SSLProtocol -all +TLSv1.2 +TLSv1.3. A device that cannot do this belongs behind a proxy or should be replaced.
                openssl s_client -connect ADDRESS:PORT -servername NAME -tls1_2 </dev/null
            """,
        references=("RFC 8996 (Deprecating TLS 1.0 and TLS 1.1)", "RFC 9325 section 3.1.1 (SSL/TLS Protocol Versions)"),
    ),
    rule(
        402, "client-cert-required", INFO, "Server requires a client certificate",
        why="""
            The server asks every client for a certificate and ends the connection without one. Its own certificate was read
            and judged, so nothing is missing from this report. Clients without a certificate see a failed handshake or an
            HTTP 400 and tend to report it as a broken server.
            """,
        fix="""
            Nothing, when this is intended. Otherwise switch it off: ssl_verify_client off (nginx), SSLVerifyClient none
            (Apache).
            """,
        references=("RFC 8446 section 4.3.2 (Certificate Request)",),
    ),
)
