"""Servers whose certificate is right, or wrong in itself: dates, names, keys, extensions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from dnscertscan.demo.authority import Authority, Credential, self_signed
from dnscertscan.demo.forged import with_foreign_signature, with_sha1
from dnscertscan.demo.story import ZONE, Server, Story
from dnscertscan.demo.tls_servers import Served, TlsSettings

_UNKNOWN_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.55555.1.1")


@dataclass(frozen=True, slots=True)
class Trust:
    """The demonstration's own authorities: ``root`` is the anchor a scan gets, ``issuing`` signs nearly everything."""

    root: Authority
    issuing: Authority
    now: datetime

    @classmethod
    def create(cls, now: datetime) -> "Trust":
        """New keys, new authorities. ``now`` is aware."""
        root = Authority.root("Demo Root", now=now)
        return cls(root, root.intermediate("Demo Issuing CA"), now)


def serving(*credentials: Credential) -> Server:
    """A well configured server for these certificates."""
    return Server(TlsSettings(tuple(Served.of(credential) for credential in credentials)))


def certificate_stories(trust: Trust) -> Iterator[Story]:
    """Each story's certificate is wrong in at most the way the story tells."""
    yield from _good(trust)
    yield from _dates(trust)
    yield from _names(trust)
    yield from _keys(trust)
    yield from _extensions(trust)


def _good(trust: Trust) -> Iterator[Story]:
    yield Story("@", "a healthy site at the zone's own name", (serving(trust.issuing.leaf(ZONE)),))
    rsa = trust.issuing.leaf(f"good-rsa.{ZONE}", key="rsa2048")
    yield Story("good-rsa", "RSA certificate, all well", (serving(rsa),))
    yield Story("good-ecdsa", "ECDSA certificate, all well", (serving(trust.issuing.leaf(f"good-ecdsa.{ZONE}")),))
    good = trust.issuing.leaf(f"half-renewed.{ZONE}", key=rsa.key)
    end = trust.now - timedelta(days=5)
    old = trust.issuing.leaf(f"half-renewed.{ZONE}", not_before=end - timedelta(days=90), not_after=end)
    yield Story(
        "half-renewed", "the RSA certificate was renewed, the ECDSA one beside it has expired", (serving(good, old),),
        frozenset({"cert-expired"}),
    )


def _dates(trust: Trust) -> Iterator[Story]:
    def dated(label: str, text: str, start: int, end: int, *slugs: str, name: str = "") -> Story:
        leaf = trust.issuing.leaf(
            f"{name or label}.{ZONE}", not_before=trust.now + timedelta(days=start), not_after=trust.now + timedelta(days=end)
        )
        return Story(label, text, (serving(leaf),), frozenset(slugs))

    yield dated("expired", "expired three days ago", -93, -3, "cert-expired")
    yield dated("not-yet-valid", "begins in a week", 7, 97, "cert-not-yet-valid")
    yield dated("expiring", "a 90-day certificate with ten days left", -80, 10, "cert-expiring")
    yield dated(
        "two-faults", "expired, and for another name", -93, -3, "cert-expired", "hostname-mismatch", name="forgotten"
    )


def _names(trust: Trust) -> Iterator[Story]:
    def named(label: str, text: str, *names: str, slugs: tuple[str, ...] = ()) -> Story:
        return Story(label, text, (serving(trust.issuing.leaf(*names, common_name=f"{label}.{ZONE}")),), frozenset(slugs))

    yield named("wrong-name", "certificate for another name", f"another.{ZONE}", slugs=("hostname-mismatch",))
    yield named("no-san", "the name stands in the common name only", slugs=("no-san",))
    yield named("_underscore", "a name that is no host name, with a certificate for it", f"_underscore.{ZONE}")


def _keys(trust: Trust) -> Iterator[Story]:
    weak = trust.issuing.leaf(f"rsa-1024.{ZONE}", key="rsa1024")
    yield Story(
        "rsa-1024", "RSA key of 1024 bits", (Server(TlsSettings((Served.of(weak),), weak=True)),), frozenset({"weak-key"})
    )
    signed = trust.issuing.leaf(f"sha1.{ZONE}")
    issuer_key = trust.issuing.credential.key
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the issuing CA of the demonstration has an EC key")
    served = Served((with_sha1(signed.certificate, issuer_key), *signed.intermediates), signed.key)
    yield Story("sha1", "signed with SHA-1", (Server(TlsSettings((served,), weak=True)),), frozenset({"weak-signature"}))
    other = trust.issuing.leaf(f"forged.{ZONE}")
    forged = Served((with_foreign_signature(other.certificate, signed.certificate), *other.intermediates), other.key)
    yield Story(
        "forged", "the signature is not the issuer's", (Server(TlsSettings((forged,))),), frozenset({"signature-failure"})
    )


def _extensions(trust: Trust) -> Iterator[Story]:
    def amended(label: str, text: str, slug: str, amend: Callable[[x509.CertificateBuilder], x509.CertificateBuilder]) -> Story:
        return Story(label, text, (serving(trust.issuing.leaf(f"{label}.{ZONE}", amend=amend)),), frozenset({slug}))

    client_only = trust.issuing.leaf(f"client-only.{ZONE}", purposes=[ExtendedKeyUsageOID.CLIENT_AUTH])
    yield Story("client-only", "a client's certificate on a server", (serving(client_only),), frozenset({"wrong-eku"}))
    yield amended(
        "critical", "a critical extension nobody knows", "unknown-critical-ext",
        lambda builder: builder.add_extension(x509.UnrecognizedExtension(_UNKNOWN_EXTENSION, b"\x05\x00"), critical=True),
    )
    yield amended(
        "must-staple", "promises a stapled OCSP response and sends none", "must-staple-missing",
        lambda builder: builder.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False),
    )
    yield Story(
        "self-signed", "its own issuer", (serving(self_signed(f"self-signed.{ZONE}", now=trust.now)),),
        frozenset({"self-signed-leaf"}),
    )
