"""Rules about keys and signature algorithms."""

from dnscertscan.checks.base import ERROR, WARNING, rule

RULES = (
    rule(
        301, "weak-key", ERROR, "Certificate key is too weak",
        why="""
            The key in the certificate is smaller than what clients accept: RSA or DSA below 2048 bits, or an elliptic curve
            below 224 bits. Keys of this size can be broken with enough money, after which the server can be impersonated.
            Browsers refuse such keys, and so does OpenSSL at the security level that Debian, Ubuntu and others set by
            default.
            """,
        fix="""
            Make a new key, and a new certificate for it; renewing with the old key keeps the fault. When the weak key belongs
            to a CA, everything below it has to be issued again from a new one.
                openssl ecparam -genkey -name prime256v1 -noout -out KEY.pem
                openssl req -new -key KEY.pem -subj "/CN=NAME" -addext "subjectAltName=DNS:NAME" -out REQUEST.pem
            """,
        references=(
            "CA/Browser Forum Baseline Requirements section 6.1.5 (Key sizes)",
            "RFC 9325 section 4.5 (Public Key Length)",
        ),
    ),
    rule(
        302, "weak-signature", ERROR, "Certificate is signed with a weak digest",
        why="""
            The signature over the certificate uses SHA-1 or MD5. For both digests, collisions can be made, so a certificate
            that is trusted through such a signature may be a forgery. Browsers and current libraries refuse it. The
            self-signature of a root does not matter and is not reported, because a root is trusted for being in the store.
            """,
        fix="""
            Have the certificate issued again with SHA-256 or better. If the certificate named is an intermediate, take the
            CA's current one; very old cross-signed intermediates are often still in chain files and can simply be dropped.
                openssl x509 -in CERT.pem -noout -text | grep "Signature Algorithm"
            """,
        references=(
            "CA/Browser Forum Baseline Requirements section 7.1.3.2 (Signature AlgorithmIdentifier)",
            "RFC 6194 (SHA-1)",
            "RFC 6151 (MD5)",
        ),
    ),
    rule(
        303, "unsupported-alg", WARNING, "Algorithm is not accepted by the Web PKI",
        why="""
            The key or the signature uses an algorithm that is sound or at least known, but that browsers do not take in
            certificates: for instance Ed25519, DSA, secp256k1 or a curve outside P-256, P-384 and P-521. OpenSSL based
            clients may connect without complaint while browsers fail in the handshake.
            """,
        fix="""
            Use RSA (2048 bits or more) or ECDSA on P-256 or P-384 for names that browsers visit. Between machines of your
            own, where all clients know the algorithm, nothing needs to be done.
            """,
        references=(
            "CA/Browser Forum Baseline Requirements section 6.1.5 (Key sizes)",
            "CA/Browser Forum Baseline Requirements section 7.1.3 (Algorithm object identifiers)",
        ),
    ),
)
