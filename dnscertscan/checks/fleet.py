"""Rules that need more than one handshake: certificates compared across connections and servers."""

from dnscertscan.checks.base import INFO, WARNING, rule
from dnscertscan.model.findings import Scope

RULES = (
    rule(
        222, "duplicate-serial", WARNING, "Two certificates of one issuer share a serial number",
        why="""
            A CA must give every certificate a serial number of its own. Revocation goes by issuer and serial number, so
            revoking one of the two hits the other as well, and NSS based programs such as Firefox refuse the second one they
            see (SEC_ERROR_REUSED_ISSUER_AND_SERIAL). Appliances and scripts that always write serial 1 are the usual source.
            """,
        fix="""
            Have one of them issued again with a random serial number of at least 64 bits. With OpenSSL, leave -set_serial
            out, or use
                openssl x509 -req -in REQUEST.pem -CA CA.pem -CAkey CA.key -CAcreateserial -copy_extensions copy -out CERT.pem
            """,
        references=("RFC 5280 section 4.1.2.2 (Serial Number)", "CA/Browser Forum Baseline Requirements section 7.1.2.7"),
        scope=Scope.FLEET,
    ),
    rule(
        240, "cert-varies", WARNING, "One name is served with different certificates",
        why="""
            The addresses of one name do not all serve the same certificate. Which one a visitor gets depends on the address
            he is given. Often one server of the group was forgotten at the last renewal, and its certificate is the next to
            expire. Some operators do this on purpose, with one certificate per site.
            """,
        fix="""
            Install the newest certificate on every address named in the message, or find out which one is not meant to serve
            the name. If each site renews on its own by design, accept this warning.
                openssl s_client -connect ADDRESS:PORT -servername NAME </dev/null | openssl x509 -noout -serial -enddate
            """,
        references=("RFC 9525 section 6 (Verifying Service Identity)", "RFC 8446 section 4.4.2.2 (Server Certificate Selection)"),
        scope=Scope.FLEET,
    ),
    rule(
        241, "default-certificate", INFO, "Certificate for clients without SNI has a problem",
        why="""
            A client that names no host in its hello gets another certificate than the one for this name, and that one is not
            valid for it. All current browsers and libraries name the host, so only very old clients and some monitoring
            probes are affected. It is never counted as an error of the endpoint.
            """,
        fix="""
            Nothing, in most cases. To serve such clients as well, make the main name's certificate the server's default
            (nginx: default_server; Apache: the first virtual host).
                openssl s_client -connect ADDRESS:PORT -noservername </dev/null
            """,
        references=("RFC 6066 section 3 (Server Name Indication)",),
    ),
)
