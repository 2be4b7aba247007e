"""Servers whose own certificate is well, but not what they send with it or who signed it."""

from collections.abc import Iterator
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from dnscertscan.demo.authority import Authority
from dnscertscan.demo.stories_certificates import Trust, serving
from dnscertscan.demo.story import PARTNER, ZONE, Server, Story
from dnscertscan.demo.tls_servers import Served, TlsSettings


def chain_stories(trust: Trust) -> Iterator[Story]:
    """Certificates sent too few, too many or in a wrong order; issuers that are unknown or must not issue."""
    yield from _as_sent(trust)
    yield from _unknown_issuers(trust)
    yield from _bad_issuers(trust)


def _as_sent(trust: Trust) -> Iterator[Story]:
    def sent(label: str, text: str, *after: x509.Certificate, slug: str = "") -> Story:
        leaf = trust.issuing.leaf(f"{label}.{ZONE}")
        server = Server(TlsSettings((Served((leaf.certificate, *after), leaf.key),)))
        return Story(label, text, (server,), frozenset({slug} if slug else ()))

    issuing = trust.issuing.certificate
    unrelated = Authority.root("Unrelated Root", now=trust.now).intermediate("Unrelated CA")
    yield sent("incomplete", "the intermediate certificate is not sent", slug="issuer-not-found")
    yield sent("duplicate", "the intermediate certificate is sent twice", issuing, issuing, slug="chain-duplicate")
    yield sent("unrelated", "a certificate of another CA is sent too", issuing, unrelated.certificate, slug="chain-extra-cert")
    yield sent("with-root", "the root is sent too, which is only a waste", issuing, trust.root.certificate)
    upper = trust.root.intermediate("Demo Upper CA", path_length=1)
    leaf = upper.intermediate("Demo Lower CA").leaf(f"disorder.{ZONE}")
    disorder = Served((leaf.certificate, *reversed(leaf.intermediates)), leaf.key)
    yield Story(
        "disorder", "two intermediate certificates in the wrong order", (Server(TlsSettings((disorder,))),),
        frozenset({"chain-order"}),
    )


def _unknown_issuers(trust: Trust) -> Iterator[Story]:
    stranger = Authority.root("Stranger Root", now=trust.now).intermediate("Stranger CA").leaf(f"unknown-issuer.{ZONE}")
    yield Story("unknown-issuer", "signed by a CA nobody here trusts", (serving(stranger),), frozenset({"issuer-not-found"}))
    office = Authority.root("Office Root", now=trust.now)
    leaf = office.intermediate("Office CA").leaf(f"office.{ZONE}")
    with_root = Served((*leaf.chain, office.certificate), leaf.key)
    yield Story(
        "office", "signed by a root that is sent along, but not trusted", (Server(TlsSettings((with_root,))),),
        frozenset({"self-signed-in-chain"}),
    )


def _bad_issuers(trust: Trust) -> Iterator[Story]:
    def issued(label: str, text: str, issuer: Authority, slug: str) -> Story:
        return Story(label, text, (serving(issuer.leaf(f"{label}.{ZONE}")),), frozenset({slug}))

    past = trust.now - timedelta(days=5)
    yield issued(
        "expired-issuer", "the intermediate certificate has expired",
        trust.root.intermediate("Demo Expired CA", not_before=past - timedelta(days=365), not_after=past), "cert-expired",
    )
    only_partner = x509.NameConstraints(permitted_subtrees=[x509.DNSName(PARTNER)], excluded_subtrees=None)
    yield issued(
        "name-constraint", "the intermediate may issue for the partner's names only",
        trust.root.intermediate("Demo Partner CA", amend=lambda builder: builder.add_extension(only_partner, critical=True)),
        "nc-permitted",
    )
    narrow = trust.root.intermediate("Demo Narrow CA", path_length=0)
    yield issued(
        "path-length", "an intermediate under one that may have none", narrow.intermediate("Demo Surplus CA"),
        "pathlen-exceeded",
    )
    yield Story(
        "ca-as-leaf", "a CA certificate used by a server", (serving(_ca_leaf(trust).credential),), frozenset({"ca-as-leaf"})
    )


def _ca_leaf(trust: Trust) -> Authority:
    name = f"ca-as-leaf.{ZONE}"

    def as_server(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)

    start, end = trust.now - timedelta(days=10), trust.now + timedelta(days=80)
    return trust.root.intermediate(name, not_before=start, not_after=end, amend=as_server)
