"""Rules about what the certificates on the path may be used for."""

from dnscertscan.checks.base import ERROR, WARNING, rule

_NAMES = "RFC 5280 section 4.2.1.10 (Name Constraints)"

RULES = (
    rule(
        210, "invalid-ca", ERROR, "Issuing certificate is not a CA",
        why="""
            A certificate on the path signed another one without being marked as a CA (basicConstraints with cA true, critical
            or not). If clients accepted that, everybody with a server certificate could issue certificates for any name. So
            they all refuse, and the chain is worth nothing.
            """,
        fix="""
            Issue the leaf from a real CA certificate. For a CA of your own: make the CA certificate again with
            basicConstraints = critical, CA:TRUE and keyUsage = critical, keyCertSign, cRLSign, then issue what is below it
            again.
                openssl x509 -in CA.pem -noout -ext basicConstraints,keyUsage
            """,
        references=(
            "RFC 5280 section 4.2.1.9 (Basic Constraints)",
            "RFC 5280 section 6.1.4 (Preparation for Certificate i+1), step k",
        ),
    ),
    rule(
        211, "keyusage-no-certsign", ERROR, "Issuing certificate may not sign certificates",
        why="""
            A CA certificate on the path has a keyUsage extension without keyCertSign, so its key is not meant to sign
            certificates. Clients that follow the standard refuse everything it issued. It happens when a CA certificate is
            made from a template for servers.
            """,
        fix="""
            Make the CA certificate again, with the same key and name and keyUsage = critical, keyCertSign, cRLSign; then the
            certificates below it stay good. Install it in place of the old one wherever the chain is served.
            """,
        references=("RFC 5280 section 4.2.1.3 (Key Usage)", "RFC 5280 section 6.1.4 (Preparation for Certificate i+1), step n"),
    ),
    rule(
        212, "pathlen-exceeded", ERROR, "More CAs below a CA than it allows",
        why="""
            A CA certificate limits how many intermediate CAs may follow it (pathLenConstraint), and the chain has more.
            Clients refuse the whole path, however good each single certificate is. It is found where a department runs a CA
            of its own below one that was made to issue only server certificates.
            """,
        fix="""
            Issue the server certificate directly from the CA with the limit, or have that CA's certificate issued again with
            a greater path length. The limit is shown by
                openssl x509 -in CA.pem -noout -ext basicConstraints
            """,
        references=("RFC 5280 section 4.2.1.9 (Basic Constraints)",),
    ),
    rule(
        213, "nc-permitted", ERROR, "Name is outside what the CA may issue for",
        why="""
            A CA certificate on the path lists the only names it may issue for (name constraints, permitted subtrees), and a
            name in the certificate is not among them. Clients that follow the standard refuse the certificate for all its
            names, not only for the one outside.
            """,
        fix="""
            Leave the name out of the certificate, or order it from a CA without this limit. For your own CA: add the domain
            to the permitted subtrees and issue the CA certificate again.
                openssl x509 -in CA.pem -noout -ext nameConstraints
            """,
        references=(_NAMES,),
    ),
    rule(
        214, "nc-excluded", ERROR, "Name is one the CA must not issue for",
        why="""
            A CA certificate on the path forbids certain names (name constraints, excluded subtrees), and the certificate has
            one of them. Clients that follow the standard refuse the certificate for all its names.
            """,
        fix="""
            Leave the name out of the certificate, or order it from a CA without this limit. What is excluded is shown by
                openssl x509 -in CA.pem -noout -ext nameConstraints
            """,
        references=(_NAMES,),
    ),
    rule(
        215, "wrong-eku", ERROR, "Certificate is not for TLS servers",
        why="""
            The extendedKeyUsage of the certificate, or of a CA above it, does not include TLS server authentication. Such a
            certificate was made for client logins, mail or code signing. Browsers and most libraries refuse it on a server.
            """,
        fix="""
            Order a certificate with extendedKeyUsage = serverAuth. If an issuing CA is named, it is limited to other
            purposes: use another issuing CA of the same provider.
                openssl x509 -in CERT.pem -noout -ext extendedKeyUsage
            """,
        references=("RFC 5280 section 4.2.1.12 (Extended Key Usage)", "CA/Browser Forum Baseline Requirements section 7.1.2.7"),
    ),
    rule(
        216, "ca-as-leaf", WARNING, "CA certificate is used as server certificate",
        why="""
            The server identifies itself with a certificate that is allowed to sign others. Whoever breaks into the server
            gets a working CA, and everything that trusts this CA trusts what the intruder issues. OpenSSL accepts it without
            a word; stricter verifiers, Rust's webpki and SSLyze 6 among them, refuse it.
            """,
        fix="""
            Make a CA key that stays off the server, issue a certificate with basicConstraints CA:FALSE from it, and serve
            that one. Self-signed certificates from openssl req -x509 are CA certificates unless told otherwise.
            """,
        references=("CA/Browser Forum Baseline Requirements section 7.1.2.7", "RFC 5280 section 4.2.1.9 (Basic Constraints)"),
    ),
    rule(
        217, "unknown-critical-ext", ERROR, "Certificate has a critical extension that clients do not know",
        why="""
            The certificate contains an extension marked critical that TLS clients do not know. They must refuse a certificate
            when they cannot honour such an extension, and they do. It comes from special-purpose CA software or from a
            mistake in a certificate template.
            """,
        fix="""
            Have it issued again with the extension left out or marked non-critical. The message names the object identifier;
            see also
                openssl x509 -in CERT.pem -noout -text
            """,
        references=("RFC 5280 section 4.2 (Certificate Extensions)",),
    ),
)
