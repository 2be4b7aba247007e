"""Rules about the certificate list a server sends and the path from it to a trust anchor."""

from dnscertscan.checks.base import ERROR, INFO, WARNING, rule

_TLS13 = "RFC 8446 section 4.4.2 (Certificate)"
_PATH = "RFC 5280 section 6.1 (Basic Path Validation)"

RULES = (
    rule(
        201, "issuer-not-found", ERROR, "No path to a trusted root",
        why="""
            The chain ends at a certificate whose issuer was not sent and is in no trust store that was asked. Either the
            server forgets an intermediate certificate, or the chain belongs to a CA that clients do not trust; the message
            says which. With a missing intermediate, browsers that remember or download it still work, while curl, Python,
            Java, mail servers and many phones fail.
            """,
        fix="""
            Missing intermediate: install the CA's full chain, leaf first, root left out (for certbot: fullchain.pem, not
            cert.pem; for nginx all in ssl_certificate; for Apache all in SSLCertificateFile), then reload. Untrusted root:
            get the certificate from a public CA, or, for a private CA, give its root to the clients and to this program
            (--ca-file, or the trust policy of the zone).
                openssl s_client -connect ADDRESS:PORT -servername NAME -showcerts </dev/null
            """,
        references=(_TLS13, _PATH),
    ),
    rule(
        202, "self-signed-leaf", ERROR, "Server certificate is self-signed",
        why="""
            The server's certificate was signed with its own key, so nobody vouches for it. Clients cannot tell it from one
            that an attacker made a minute ago; browsers show a full-page warning, other clients refuse. Appliances and
            packages create such certificates at installation and serve them until somebody installs a real one.
            """,
        fix="""
            Install a certificate from a public CA (ACME makes it free and automatic) or from your private CA. A name that
            only the inside needs can use the private CA together with a trust policy for its zone.
            """,
        references=(_PATH,),
    ),
    rule(
        203, "self-signed-in-chain", ERROR, "Chain ends in a root that is not trusted",
        why="""
            The server sends its whole chain with the root, and this root is in no trust store that was asked. Sending a root
            does not make it trusted: clients only accept roots they already have. So every client without this private CA, or
            this withdrawn public root, refuses the connection.
            """,
        fix="""
            If it is a private CA: give its root to the clients, and to this program (--ca-file, or the trust policy of the
            zone). If it should be public: replace the certificate and its chain with those of a CA that is in the stores
            today.
            """,
        references=(_PATH, _TLS13),
    ),
    rule(
        204, "chain-order", WARNING, "Certificates are sent in the wrong order",
        why="""
            The server's own certificate has to come first, and each following one should certify the one before it. Browsers
            and OpenSSL sort the list themselves, but TLS 1.2 demands the order, and older Java, embedded and
            Internet-of-things clients walk the list as it comes and fail.
            """,
        fix="""
            Write the chain file anew: leaf, then the intermediate that signed it, then the one above; reload the service.
                cat LEAF.pem INTERMEDIATE.pem > FULLCHAIN.pem
            """,
        references=(_TLS13, "RFC 5246 section 7.4.2 (Server Certificate)"),
    ),
    rule(
        205, "chain-extra-cert", WARNING, "Chain has a certificate that no path needs",
        why="""
            The list contains a certificate that is not part of the path to the root: often an intermediate left over from an
            earlier CA, or another site's certificate. It makes each handshake larger. When it expires it may disturb clients
            that build their path from whatever was sent, as happened with AddTrust in 2020 and DST Root CA X3 in 2021.
            """,
        fix="""
            Remove the certificate named from the chain file and reload. A cross-signed certificate that old clients do need
            may stay: then accept this warning.
            """,
        references=(_TLS13,),
    ),
    rule(
        206, "chain-duplicate", WARNING, "Chain has the same certificate more than once",
        why="""
            The same certificate is sent twice or more. Mostly the leaf is in the certificate file and again in the chain
            file. Clients get along with it as a rule, but each handshake carries the octets for nothing, and some strict or
            old clients take the second copy for a break in the order.
            """,
        fix="""
            Keep the certificate in one of the files only, then reload. To list what a file holds:
                openssl crl2pkcs7 -nocrl -certfile FULLCHAIN.pem | openssl pkcs7 -print_certs -noout
            """,
        references=(_TLS13,),
    ),
    rule(
        207, "chain-includes-root", INFO, "Chain includes the trust anchor",
        why="""
            The root is part of what the server sends. Clients have it already or they do not trust it, so it only costs about
            one kilobyte in every handshake. It does no harm otherwise, and for private CAs some people send it on purpose.
            """,
        fix="""
            Remove the last certificate (issuer and subject are the same) from the chain file when you next touch it.
            """,
        references=(_TLS13,),
    ),
    rule(
        208, "chain-too-long", ERROR, "Certificate chain is too long",
        why="""
            The path to the root, or the list sent, has more certificates than clients are ready to follow. Real chains have
            two or three intermediates at most; verifiers stop somewhere between 8 and 100 to protect themselves. A list of
            this length is nearly always a mistake, such as a whole CA bundle pasted into the chain file.
            """,
        fix="""
            Send only the leaf and the intermediates between it and the root. For nginx and Apache, look that the chain file
            is not the system's CA bundle.
            """,
        references=(_PATH,),
    ),
    rule(
        209, "signature-failure", ERROR, "Signature does not match the issuer's key",
        why="""
            The certificate names an issuer that is there, yet that issuer's key did not make the signature. The certificate
            was damaged or altered, or the chain holds a namesake: an intermediate with the same name but a renewed key. No
            client accepts it.
            """,
        fix="""
            Download leaf and intermediates from the CA again and compare the key identifiers: the leaf's authority key
            identifier has to be the subject key identifier of the next certificate.
                openssl x509 -in CERT.pem -noout -ext subjectKeyIdentifier,authorityKeyIdentifier
            """,
        references=("RFC 5280 section 6.1.3 (Basic Certificate Processing)",),
    ),
    rule(
        223, "store-disagreement", WARNING, "Trusted by some trust stores, not by others",
        why="""
            The chain leads to a root that some vendors trust and others do not (yet, or any more). Part of the visitors
            connect without a sign of trouble, the others get an error: typically those with old phones, or with Java's or a
            browser's own store. The message names both groups of stores.
            """,
        fix="""
            Ask the CA which chain reaches the widest set of clients and serve that one; often a cross-signed intermediate
            closes the gap (for ACME clients: the preferred-chain option). If the CA is being withdrawn by vendors, change the
            CA.
            """,
        references=(
            "Mozilla Root Store Policy",
            "Chrome Root Program Policy",
            "Apple Root Certificate Program",
            "Microsoft Trusted Root Program",
        ),
    ),
    rule(
        224, "trust-policy", ERROR, "Certificate comes from the wrong kind of CA for this zone",
        why="""
            The policy of the zone asks for a private CA and a publicly trusted certificate is served, or the reverse. Clients
            that only have the other roots refuse the connection. A public certificate on an internal name also publishes that
            name for ever in the Certificate Transparency logs.
            """,
        fix="""
            Install a certificate from the CA that the policy names. If the certificate is right and the policy is not, change
            the zone's trust mode (public, private or either) in the configuration.
            """,
        references=(_PATH,),
    ),
)
