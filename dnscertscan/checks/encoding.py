"""Rules about how a certificate is written."""

from dnscertscan.checks.base import ERROR, WARNING, rule

RULES = (
    rule(
        218, "cert-unparseable", ERROR, "Certificate cannot be parsed",
        why="""
            The octets that the server sent in the place of a certificate are not a certificate that can be read. Clients end
            the handshake with a decode error, wherever in the list it stands. What could still be read from it is in the
            message.
            """,
        fix="""
            Look at the file that the server loads and replace it with the one from the CA. A file cut short in copying is the
            usual cause; the tool that made it is the next suspect.
                openssl x509 -in CERT.pem -noout -text
                openssl asn1parse -in CERT.pem
            """,
        references=("RFC 5280 section 4.1 (Basic Certificate Fields)",),
    ),
    rule(
        219, "cert-encoding", WARNING, "Certificate does not follow the encoding rules",
        why="""
            Something in the certificate is written against RFC 5280: for example a serial number that is negative, zero or
            longer than 20 octets, a date in the wrong format, or extensions in an old version. Lenient clients accept it and
            strict ones refuse, and libraries grow stricter with every release. So it works until somebody updates.
            """,
        fix="""
            Have it issued again with current CA software. Home-made scripts are the usual source: let them choose random
            serial numbers (openssl x509 -req without -set_serial) and X.509 version 3.
            """,
        references=("RFC 5280 section 4.1.2 (TBSCertificate)", "RFC 5280 section 4.1.2.2 (Serial Number)"),
    ),
    rule(
        220, "missing-aki", WARNING, "Certificate has no authorityKeyIdentifier",
        why="""
            The certificate does not say which key of its issuer signed it. Clients find the issuer by name alone, which fails
            or takes a wrong turn when a CA has several certificates of one name. OpenSSL and browsers accept it; strict
            verifiers, such as Python's cryptography and Python 3.13 by default, refuse it.
            """,
        fix="""
            Have the CA add the extension. With OpenSSL, put authorityKeyIdentifier = keyid and subjectKeyIdentifier = hash
            into the section named by -extensions; the CA certificate needs the subjectKeyIdentifier, too.
            """,
        references=("RFC 5280 section 4.2.1.1 (Authority Key Identifier)", "Python documentation: ssl.VERIFY_X509_STRICT"),
    ),
    rule(
        221, "v1-cert", WARNING, "Certificate is of X.509 version 1",
        why="""
            Version 1 certificates have no extensions: no subjectAltName, no key usage, no mark that tells a CA from a server.
            Current clients cannot match a name to such a certificate, and they refuse it as an issuer. openssl x509 -req
            makes one when it is given no extensions.
            """,
        fix="""
            Have it issued again as version 3 with subjectAltName, keyUsage and extendedKeyUsage.
                openssl x509 -req -in REQUEST.pem -CA CA.pem -CAkey CA.key -copy_extensions copy -days 90 -out CERT.pem
            """,
        references=(
            "RFC 5280 section 4.1.2.1 (Version)",
            "CA/Browser Forum Baseline Requirements section 7.1.1 (Version number(s))",
        ),
    ),
)
