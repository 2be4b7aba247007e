"""Rules about the names a certificate is for."""

from dnscertscan.checks.base import ERROR, rule

RULES = (
    rule(
        110, "hostname-mismatch", ERROR, "Certificate is not for this name",
        why="""
            None of the DNS names in the certificate's subjectAltName covers the name that was asked for. Browsers and other
            clients refuse the connection, because anybody with a certificate for another name could answer here. A wildcard
            covers exactly one label: *.example.com is good for www.example.com, not for example.com or a.b.example.com. The
            common name is not looked at any more.
            """,
        fix="""
            If the server should serve this name: order a certificate that lists it, and check that the virtual host for the
            name is the one that answers (a default site's certificate is the common cause). If it should not: remove the DNS
            record.
                openssl s_client -connect ADDRESS:PORT -servername NAME </dev/null | openssl x509 -noout -ext subjectAltName
            """,
        references=(
            "RFC 9525 section 6.3 (Matching the DNS Domain Name Portion)",
            "RFC 5280 section 4.2.1.6 (Subject Alternative Name)",
        ),
    ),
    rule(
        111, "ip-mismatch", ERROR, "Certificate is not for this IP address",
        why="""
            The server was asked for by its IP address, and the certificate's subjectAltName does not list that address. An
            address only matches an iPAddress entry with the same octets; DNS names, wildcards and addresses written as text
            do not count. Clients that connect by address refuse the connection.
            """,
        fix="""
            Have clients use a name that is in the certificate, or order a certificate with the address as an iPAddress entry
            (for OpenSSL: subjectAltName = IP:192.0.2.1).
            """,
        references=(
            "RFC 9525 section 6.4 (Matching an IP Address Portion)",
            "RFC 5280 section 4.2.1.6 (Subject Alternative Name)",
        ),
    ),
    rule(
        112, "no-san", ERROR, "Certificate has no subjectAltName",
        why="""
            The certificate carries its name only in the subject's common name. Browsers, Go, Python and other current clients
            ignore the common name, so for them the certificate is valid for no name at all. Some old libraries still accept
            it, which is why it seems to work in a quick test.
            """,
        fix="""
            Have it issued again with every name in the subjectAltName extension. With OpenSSL:
                openssl req -new -key KEY.pem -subj "/CN=NAME" -addext "subjectAltName=DNS:NAME" -out REQUEST.pem
            Look that the CA copies the extension into the certificate; openssl x509 -req needs -copy_extensions copy.
            """,
        references=("RFC 9525 (Service Identity in TLS)", "CA/Browser Forum Baseline Requirements section 7.1.2.7"),
    ),
)
