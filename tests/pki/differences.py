"""Where our verdict differs from OpenSSL's on purpose: the one table, with the source of each difference.

``accepts`` tells what we do. A difference is explained only by a change it is listed for, in that direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One deliberate difference: the changes of ``pki.worlds`` that show it, our side, and why."""

    changes: frozenset[str]
    accepts: bool
    what: str
    source: str
    only_with: frozenset[str] = frozenset()
    """When not empty, one of these changes must be there too."""
    together: bool = False
    """All of ``only_with`` must be there, not just one."""

    def fits(self, changes: Sequence[str]) -> bool:
        """Whether these changes show it."""
        company = self.only_with.intersection(changes)
        enough = company == self.only_with if self.together else company or not self.only_with
        return bool(enough and self.changes.intersection(changes))


DIFFERENCES = (
    Difference(
        frozenset({"san-none", "san-empty", "san-only-mail", "v1"}), False,
        "the common name is never used, also when no dNSName is there",
        "RFC 9525 6.3 (MUST NOT use CN-ID); Chrome 58, Firefox 48, Go 1.15",
    ),
    Difference(
        frozenset({"wildcard-partial"}), False, "a wildcard is a whole label (ba*.example.com matches nothing)",
        "RFC 9525 6.3; BR 7.1.4.2.1; OpenSSL itself with X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS",
    ),
    Difference(
        frozenset({"wildcard-underscore"}), True, "a wildcard stands for a label with an underscore",
        "RFC 9525 6.3 compares labels, whatever is in them; Chrome, Firefox, Go",
    ),
    Difference(
        frozenset({"final-dot-asked"}), True, "a final dot in the name asked for means the root and is no part of the name",
        "RFC 1034 3.1, RFC 6066 3 (no trailing dot in SNI); Chrome, Firefox, curl",
    ),
    Difference(
        frozenset({"leaf-last-second"}), True, "the second of notAfter is part of the validity period",
        "RFC 5280 4.1.2.5 (through notAfter, inclusive); OpenSSL's X509_cmp_time calls equal times past",
    ),
    Difference(
        frozenset({"anchor-intermediate", "anchor-leaf"}), True, "an anchor need not be self-signed",
        "RFC 5280 6.1.1 d; OpenSSL with X509_V_FLAG_PARTIAL_CHAIN, as curl and Python 3.13 set it; Go, GnuTLS",
    ),
    Difference(
        frozenset({"rival-intermediate", "cross-signed-first", "only-cross-root-trusted"}), True,
        "of several issuers with one name, all are tried, not only the first",
        "RFC 4158 2.4.2; Chrome, Firefox, Go build paths the same way",
    ),
    Difference(
        frozenset({"self-signed-trusted", "self-signed-ca-trusted"}), True,
        "an anchor that does not count as self-signed (its key identifier names another key) is an anchor all the same",
        "RFC 5280 6.1.1 d", frozenset({
            "aki-other-key", "aki-other-serial", "aki-issuer-serial", "leaf-issuer-printable", "leaf-issuer-other",
            "leaf-issuer-case", "leaf-issuer-utf8-case", "leaf-empty-issuer",
        }),
    ),
    Difference(
        frozenset({"cross-signed", "cross-signed-both-trusted"}), True,
        "of several issuers with one name, all are tried, not only the first",
        "RFC 4158 2.4.2; Chrome, Firefox, Go build paths the same way",
        frozenset({"untrusted", "untrusted-sent", "expired-anchor-beside", "rival-anchor"}),
    ),
    Difference(
        frozenset({"rival-anchor"}), True, "of several issuers with one name, all are tried, not only the first",
        "RFC 4158 2.4.2; Chrome, Firefox, Go build paths the same way", frozenset({"root-empty-subject", "ca-empty-subject"}),
        together=True,
    ),
    Difference(
        frozenset({"leaf-explicit-curve"}), False,
        "explicit curve parameters are refused in a self-signed server certificate too",
        "RFC 5480 2.1.1 (MUST NOT), RFC 8422 5.4 (no TLS for such keys); OpenSSL looks at them in longer chains only",
        frozenset({"self-signed-trusted", "self-signed-ca-trusted", "anchor-leaf"}),
    ),
    Difference(
        frozenset({
            "nc-empty-excluded", "nc-excluded", "nc-permitted-other", "nc-suffix-no-dot", "root-nc-other", "two-cas-upper-nc",
            "nc-not-critical", "nc-minimum",
        }), True,
        "name constraints for dNSName are not applied to the common name, which is never used",
        "RFC 5280 4.2.1.10, RFC 9525 6.3; OpenSSL with X509_CHECK_FLAG_NEVER_CHECK_SUBJECT", frozenset({"ip4", "ip6"}),
    ),
    Difference(
        frozenset({"root-algorithms-differ"}), False, "an anchor whose two signature algorithm fields differ is no certificate",
        "RFC 5280 4.1.1.2; Go, BoringSSL and cryptography refuse it; OpenSSL only where the key is of another kind",
    ),
    Difference(
        frozenset({"leaf-algorithms-differ"}), False, "an anchor whose two signature algorithm fields differ is no certificate",
        "RFC 5280 4.1.1.2; Go, BoringSSL and cryptography refuse it",
        frozenset({"self-signed-trusted", "self-signed-ca-trusted", "anchor-leaf"}),
    ),
    Difference(
        frozenset({"leaf-rsa2047"}), False, "an RSA key needs 2048 bits",
        "BR 6.1.5; OpenSSL rounds 2047 bits up to the 112-bit level",
    ),
    Difference(
        frozenset({"leaf-tail", "root-tail"}), False, "octets behind a certificate make it unreadable",
        "TLS clients refuse them (OpenSSL: SSL_R_CERT_LENGTH_MISMATCH; Go: trailing data); openssl verify overlooks them",
    ),
    Difference(
        frozenset({"eleven-intermediates"}), False, "at most 10 intermediate certificates", "bounded search; Firefox stops at 6",
    ),
)


def explained(changes: Sequence[str], accepted: bool) -> Difference | None:
    """The difference that explains our verdict ``accepted`` against OpenSSL's, if one is listed."""
    return next((entry for entry in DIFFERENCES if entry.accepts is accepted and entry.fits(changes)), None)
