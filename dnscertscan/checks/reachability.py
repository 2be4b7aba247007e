"""Rules about servers from which no certificate could be read; findings only when the policy asks for them."""

from dnscertscan.checks.base import ERROR, rule
from dnscertscan.model.observations import FailureKind

_ALERTS = "RFC 8446 section 6 (Alert Protocol)"
_TRY = "    openssl s_client -connect ADDRESS:PORT -servername NAME </dev/null"

RULES = (
    rule(
        701, "conn-refused", ERROR, "Connection refused",
        why="""
            The host answered that nothing listens on this port. Either there is no TLS service under this name, or it is
            down. A name that should not serve anything does not need the record.
            """,
        fix="""
            Start the service, or remove the record or the port from the scan.
                ss -ltnp
            """,
        references=("RFC 9293 section 3.5.2 (Reset Generation)",),
    ),
    rule(
        702, "conn-timeout", ERROR, "Connection timed out",
        why="""
            Nothing came back from the address: the host is gone or a firewall drops the packets. Users wait for many seconds
            before they see an error, and with several addresses each dead one slows everybody down. The scanner's own network
            may be the one that is blocked.
            """,
        fix="""
            Try from another network. If it is silent there as well, remove the address from DNS or bring the host back;
            otherwise allow the scanner's address in the firewall.
            """ + _TRY,
        references=("RFC 9293 section 3.8.3 (TCP Connection Failures)",),
    ),
    rule(
        703, "conn-reset", ERROR, "Connection reset during the TLS handshake",
        why="""
            The connection was opened and then cut by a reset before a certificate was sent. A firewall or load balancer that
            does not like the scanner or the name does this, or a service that crashed. Users see "connection reset".
            """,
        fix="""
            Look at the log of the server and of the devices before it, and try the same name by hand.
            """ + _TRY,
        references=("RFC 9293 section 3.5.2 (Reset Generation)",),
    ),
    rule(
        704, "conn-closed", ERROR, "Connection closed during the TLS handshake",
        why="""
            The server accepted the connection and closed it without a TLS answer. Load balancers without a healthy backend,
            services with an access list (tcp wrappers), and servers that do not know the name do that. Clients report an
            unexpected end of file.
            """,
        fix="""
            Look at the log of the server and at the health of the backends, and try the same name by hand.
            """ + _TRY,
        references=("RFC 8446 section 6.1 (Closure Alerts)",),
    ),
    rule(
        705, "not-tls", ERROR, "Server does not speak TLS on this port",
        why="""
            The server answered the TLS hello with something else; the message shows what (HTTP, SSH, SMTP and so on). Clients
            that expect TLS cannot connect. If they fall back to plain text, passwords and data travel in the clear.
            """,
        fix="""
            Switch TLS on for this port (nginx: listen 443 ssl), or correct the port in the scan. A service that begins in
            plain text and changes to TLS later has to be scanned as a STARTTLS service: --port smtp:25.
            """,
        references=("RFC 8446 section 4.1.2 (Client Hello)",),
    ),
    rule(
        706, "handshake-alert", ERROR, "Server refused the handshake with a TLS alert",
        why="""
            The server ended the handshake with the alert in the message instead of a certificate. Handshake_failure means
            that no version or cipher in common was found, internal_error mostly a broken certificate or backend. Users cannot
            connect.
            """,
        fix="""
            Look up the alert in the server's log, where the reason stands in full, and check its certificate, key and cipher
            configuration.
            """ + _TRY,
        references=(_ALERTS,),
    ),
    rule(
        707, "handshake-timeout", ERROR, "TLS handshake timed out",
        why="""
            The connection was opened, but no complete TLS answer came in time. The server is overloaded, hangs on a backend,
            or waits for something a TLS client never sends, as plain-text services do. Users wait until they give up.
            """,
        fix="""
            Try by hand. If it answers slowly, find out why, or raise --timeout; if it never answers, it is probably not a TLS
            service.
            """ + _TRY,
        references=("RFC 8446 section 2 (Protocol Overview)",),
    ),
    rule(
        708, "handshake-error", ERROR, "TLS handshake failed",
        why="""
            The server's answer looked like TLS, but the handshake could not be completed: a message was malformed, out of
            order or not allowed. Clients fail as well, each with its own text. Old or home-made TLS software and middleboxes
            are the usual causes.
            """,
        fix="""
            Try by hand with a current OpenSSL, and bypass proxies and load balancers one by one until it works; update the
            one at fault.
            """ + _TRY,
        references=("RFC 8446 section 4 (Handshake Protocol)",),
    ),
    rule(
        709, "no-certificate", ERROR, "Server does not present a certificate",
        why="""
            The handshake uses anonymous key exchange or a shared secret (PSK), which needs no certificate. Without a
            certificate, clients cannot know to whom they talk, and browsers cannot connect at all. It is normal only between
            machines that share a secret.
            """,
        fix="""
            Install a certificate and remove anonymous (aNULL, ADH, AECDH) suites from the cipher list. A PSK service that is
            meant to be one can be left out of the scan.
            """,
        references=("RFC 5246 section 7.4.2 (Server Certificate)", "RFC 4279 (Pre-Shared Key Ciphersuites for TLS)"),
    ),
    rule(
        710, "sni-unrecognized", ERROR, "Server does not know this name",
        why="""
            The server ended the handshake with the alert unrecognized_name: it is not configured for the name that the DNS
            record sends here. Users of the name cannot connect. The record is often left over from a service that has moved.
            """,
        fix="""
            Configure the name on the server, or remove or correct the DNS record.
            """ + _TRY,
        references=("RFC 6066 section 3 (Server Name Indication)", _ALERTS),
    ),
    rule(
        711, "starttls-unsupported", ERROR, "Server does not offer STARTTLS",
        why="""
            The server speaks the expected protocol in plain text and does not offer to change to TLS. Everything, passwords
            included, travels in the clear, and clients that insist on TLS cannot connect.
            """,
        fix="""
            Configure a certificate and switch STARTTLS on (Postfix: smtpd_tls_security_level = may with a chain file;
            Dovecot: ssl = required). A server may also hide it from some addresses: try from another network.
                openssl s_client -connect ADDRESS:PORT -starttls smtp </dev/null
            """,
        references=("RFC 3207 (SMTP over TLS)", "RFC 8314 (TLS for Email Submission and Access)"),
    ),
    rule(
        712, "starttls-refused", ERROR, "Server refused STARTTLS",
        why="""
            The server turned down the request to change to TLS, or gave an answer outside its protocol. For SMTP, 454 means
            that TLS is configured but does not work at the moment, mostly because key or certificate cannot be read. Mail
            then goes out unprotected or not at all.
            """,
        fix="""
            Look at the server's log for the reason: file permissions and a key that does not belong to the certificate come
            first.
                openssl s_client -connect ADDRESS:PORT -starttls smtp </dev/null
            """,
        references=("RFC 3207 section 4 (The STARTTLS Extension to SMTP)",),
    ),
    rule(
        713, "cert-msg-too-large", ERROR, "Certificate message is too large",
        why="""
            The server sends more certificate data than clients accept: OpenSSL stops at 100 kB by default. Hundreds of
            certificates in the chain file or thousands of names in one certificate are the cause. Users with such a client
            cannot connect.
            """,
        fix="""
            Send only the leaf and its intermediates, and spread the names over several certificates.
            """,
        references=("OpenSSL manual: SSL_CTX_set_max_cert_list",),
    ),
    rule(
        714, "conn-unreachable", ERROR, "Address cannot be reached",
        why="""
            The network reported that there is no way to the address (no route, host or network unreachable, forbidden). For
            an IPv6 address the scanner itself may have no IPv6. Users without a way there wait or fail, too.
            """,
        fix="""
            Check the scanner's own connection first. Private addresses in a public zone are only reachable from inside: scan
            them from there, or filter them.
                ip route get ADDRESS
            """,
        references=("RFC 792 (ICMP)", "RFC 4443 section 3.1 (Destination Unreachable Message)"),
    ),
    rule(
        715, "tls-unsupported", ERROR, "Server's TLS versions or ciphers are not supported",
        why="""
            The server and this scanner have no TLS version, cipher or curve in common, although the scanner offers everything
            from TLS 1.0 to 1.3 that is in use. Such a server is set to something very old (SSL 3) or very unusual, and no
            browser can connect either.
            """,
        fix="""
            Enable TLS 1.2 with ECDHE suites and AES-GCM, and TLS 1.3.
            """ + _TRY,
        references=("RFC 9325 section 4.2 (Cipher Suites for TLS 1.2)", "RFC 8996 (Deprecating TLS 1.0 and TLS 1.1)"),
    ),
)

SLUGS = {
    FailureKind.REFUSED: "conn-refused",
    FailureKind.TIMEOUT: "conn-timeout",
    FailureKind.RESET: "conn-reset",
    FailureKind.CLOSED: "conn-closed",
    FailureKind.NOT_TLS: "not-tls",
    FailureKind.ALERT: "handshake-alert",
    FailureKind.HANDSHAKE_TIMEOUT: "handshake-timeout",
    FailureKind.HANDSHAKE_ERROR: "handshake-error",
    FailureKind.NO_CERTIFICATE: "no-certificate",
    FailureKind.UNRECOGNIZED_NAME: "sni-unrecognized",
    FailureKind.STARTTLS_UNSUPPORTED: "starttls-unsupported",
    FailureKind.STARTTLS_REFUSED: "starttls-refused",
    FailureKind.TOO_LARGE: "cert-msg-too-large",
    FailureKind.UNREACHABLE: "conn-unreachable",
    FailureKind.UNSUPPORTED_TLS: "tls-unsupported",
}
"""Which rule a failure belongs to. Not here: names nobody can ask for (a rule about zones), the engine, the run's deadline."""

WORDS = {
    "conn-refused": "connection refused",
    "conn-timeout": "connection timed out",
    "conn-reset": "connection reset during TLS handshake",
    "conn-closed": "connection closed during TLS handshake",
    "not-tls": "server does not speak TLS on this port",
    "handshake-alert": "TLS alert received",
    "handshake-timeout": "TLS handshake timed out",
    "handshake-error": "TLS handshake failed",
    "no-certificate": "server does not present a certificate (anonymous or PSK)",
    "sni-unrecognized": "server does not know this name (unrecognized_name alert)",
    "starttls-unsupported": "server does not offer STARTTLS",
    "starttls-refused": "server refused STARTTLS",
    "cert-msg-too-large": "certificate message too large",
    "conn-unreachable": "address cannot be reached",
    "tls-unsupported": "server's TLS versions or ciphers are not supported",
}
"""The words each message begins with."""
