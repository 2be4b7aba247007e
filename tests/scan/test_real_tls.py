"""The check against OpenSSL and GnuTLS servers with odd settings: versions, suites, shared keys, client certificates, staples."""

from contextlib import ExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from servers.scanning import check, clock, der, handshake, observe, target
from servers.tls_tools import gnutls_serv, s_server

from dnscertscan.demo.authority import Authority, Credential
from dnscertscan.model.observations import ClientAuth, Failure, FailureKind
from dnscertscan.scan.probe import Reading


@pytest.fixture(scope="module")
def leaf(ca: Authority) -> Credential:
    return ca.leaf("a.test", key="rsa2048")


@pytest.mark.parametrize(("options", "protocol"), [
    ((), "TLS 1.3"), (("-tls1_2",), "TLS 1.2"), (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "TLS 1.1"),
    (("-tls1", "-cipher", "ALL:@SECLEVEL=0"), "TLS 1.0"), (("-tls1_2", "-cipher", "NULL:@SECLEVEL=0"), "TLS 1.2"),
    (("-tls1_2", "-cipher", "DHE-RSA-AES256-SHA"), "TLS 1.2"), (("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"), "TLS 1.3"),
    (("-ciphersuites", "TLS_AES_128_GCM_SHA256", "-groups", "P-521"), "TLS 1.3"),
    (("-tls1_2", "-curves", "secp224r1"), "TLS 1.2"),
])
def test_versions_and_suites(leaf: Credential, options: tuple[str, ...], protocol: str) -> None:
    """Current and obsolete versions, suites without encryption, odd groups, a retried hello: the list is read."""
    with s_server(*options, credential=leaf) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Reading), outcome
    assert (outcome.chain[0], outcome.protocol) == (der(leaf)[0], protocol)
    assert outcome.cipher


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_lists_too_long_for_openssl(ca: Authority, version: str) -> None:
    """A certificate of more than 100 kB, which OpenSSL clients refuse, is read beside OpenSSL, also where it is encrypted."""
    names = [f"host-{number}.with-a-rather-long-name.example" for number in range(4000)]
    large = ca.leaf("a.test", *names)
    with s_server(version, credential=large) as port:
        (observation,) = observe([target(port)])
    (deployment,) = handshake(observation).deployments
    assert deployment.chain[0].der == der(large)[0]
    assert len(deployment.chain[0].der) > 102_400


@pytest.mark.parametrize("options", [
    ("-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"), ("-tls1_2", "-psk", "abcdef01"), ("-psk", "abcdef01"),
], ids=["anonymous", "shared key", "shared key with TLS 1.3"])
def test_servers_without_a_certificate(options: tuple[str, ...]) -> None:
    """Anonymous and shared-key servers are told from broken ones."""
    with s_server(*options) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.NO_CERTIFICATE, outcome


def test_client_certificates(leaf: Credential) -> None:
    """Required is told from wished for by what the server says to an empty certificate; the list is judged either way."""
    cases = [
        ("-tls1_2", "-Verify", ClientAuth.REQUIRED), ("-tls1_3", "-Verify", ClientAuth.REQUIRED),
        ("-tls1_2", "-verify", ClientAuth.REQUESTED), ("-tls1_3", "-verify", ClientAuth.REQUESTED),
    ]
    with ExitStack() as stack:
        servers = [stack.enter_context(s_server(version, option, "1", credential=leaf)) for version, option, _ in cases]
        found = {one.target.endpoint.port: handshake(one) for one in observe([target(port) for port in servers])}
    for port, (_, _, client_auth) in zip(servers, cases, strict=True):
        assert (found[port].client_auth, found[port].engine_failure) == (client_auth, None)
        assert found[port].deployments[0].chain[0].der == der(leaf)[0]
        assert found[port].deployments[0].verdicts


@pytest.mark.parametrize(("priority", "protocol"), [
    ("NORMAL", "TLS 1.3"), ("NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLS 1.2"), ("LEGACY:-VERS-ALL:+VERS-TLS1.0:%COMPAT", "TLS 1.0"),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+3DES-CBC", "TLS 1.2"),
])
def test_gnutls(leaf: Credential, priority: str, protocol: str) -> None:
    """A second implementation of TLS is read as well, also with suites that current OpenSSL no longer has."""
    with gnutls_serv(leaf, priority) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Reading), outcome
    assert (outcome.chain, outcome.protocol) == (der(leaf), protocol)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_stapled_response(ca: Authority, leaf: Credential, version: str) -> None:
    """The stapled OCSP response is kept octet by octet, by our check and by SSLyze."""
    response = _response(ca, leaf.certificate)
    with s_server(version, credential=leaf, staple=response) as port:
        outcome = check(target(port))
        (observation,) = observe([target(port)])
    assert isinstance(outcome, Reading)
    assert outcome.staple == response
    assert handshake(observation).deployments[0].staple == response


def _response(ca: Authority, certificate: x509.Certificate) -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate, issuer=ca.certificate, algorithm=hashes.SHA256(), cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=clock(), next_update=None, revocation_time=None, revocation_reason=None,
    ).responder_id(ocsp.OCSPResponderEncoding.HASH, ca.certificate)
    return builder.sign(ca.credential.key, hashes.SHA256()).public_bytes(Encoding.DER)
