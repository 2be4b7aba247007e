"""Our own reading of TLS 1.3 beside OpenSSL's: proofs that are wrong, records that cannot be opened, lists kept as sent."""

from collections.abc import Awaitable, Callable
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import hostile, tls13_liar
from servers.scanning import check, der, target

from dnscertscan.demo.authority import Authority
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan import ScanSettings, ciphers, tls13
from dnscertscan.scan.loop import Loop
from dnscertscan.scan.probe import Probe, Reading


def _ask(port: int, ask: Callable[[Probe], Awaitable[Reading | Failure]]) -> Reading | Failure:
    probe = Probe(target(port), ScanSettings(timeout=3.0), monotonic() + 3.0, lambda: None)

    async def run() -> Reading | Failure:
        return await ask(probe)

    return Loop().run(run())


def test_a_wrong_proof_of_the_key_is_read_as_openssl_lets_us_read_it(ca: Authority) -> None:
    """A server without the key of its certificate: the list it shows is the same by our reading and beside OpenSSL."""
    chain = der(ca.leaf("a.test"))
    with hostile.serve(tls13_liar.shows(chain)) as port:
        ours = _ask(port, lambda probe: probe.current("a.test"))
        theirs = _ask(port, lambda probe: probe._with_openssl("a.test", ()))
    assert isinstance(ours, Reading)
    assert isinstance(theirs, Reading)
    assert (ours.chain, ours.protocol, ours.cipher) == (theirs.chain, theirs.protocol, theirs.cipher)
    assert (ours.chain, ours.protocol) == (chain, "TLS 1.3")


def test_octets_that_are_no_certificate_are_kept_in_tls_1_3() -> None:
    """What no library can parse is read from an encrypted flight as it is."""
    chain = (b"\x30\x03\x02\x01\x05", b"not even DER")
    with hostile.serve(tls13_liar.shows(chain)) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Reading)
    assert outcome.chain == chain


def test_records_nobody_can_open_are_left_to_openssl(ca: Authority) -> None:
    """Garbage in place of an encrypted flight ends as OpenSSL ends it, in time."""
    start = monotonic()
    with hostile.serve(tls13_liar.shows(der(ca.leaf("a.test")), tamper=True)) as port:
        outcome = check(target(port), timeout=2.0)
    assert isinstance(outcome, Failure)
    assert outcome.kind in (FailureKind.HANDSHAKE_ERROR, FailureKind.CLOSED, FailureKind.HANDSHAKE_TIMEOUT), outcome
    assert monotonic() - start < 3.0


@pytest.mark.parametrize("share", [bytes(32), b"", b"\x04" + bytes(64), b"x" * 31], ids=["zero", "empty", "no point", "short"])
@pytest.mark.parametrize("group", [tls13.X25519, tls13.P256, 24])
def test_shares_of_no_use(group: int, share: bytes) -> None:
    """Key shares that are no points, and groups we have no key for, are no reason to fail: OpenSSL is asked instead."""
    assert tls13.KeyShares().opener(0x1301, group, share, b"transcript") is None


@given(st.binary(max_size=400))
def test_hostile_key_shares(share: bytes) -> None:
    """No octets make the key schedule raise."""
    shares = tls13.KeyShares()
    for group in (tls13.X25519, tls13.P256):
        shares.opener(0x1302, group, share, b"")


def test_key_schedule_of_the_standard() -> None:
    """The simple 1-RTT handshake of RFC 8448 3: key and nonce of the server's handshake records."""
    secret = bytes.fromhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
    assert tls13._expand_label("sha256", secret, b"key", b"", 16).hex() == "3fce516009c21727d0f2e4e86ee403bc"
    assert tls13._expand_label("sha256", secret, b"iv", b"", 12).hex() == "5d313eb2671276ee13000b30"
    assert tls13._before("sha256").hex() == "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba"


def test_suites_by_key() -> None:
    """The hello for RSA keys begins with what costs the server least, and no suite is for both kinds of keys."""
    rsa, other = ciphers.by_key(rsa=True), ciphers.by_key(rsa=False)
    assert not set(rsa) & set(other)
    names = [ciphers.name(number) for number in rsa]
    assert not any(names[0].startswith(word) for word in ("ECDHE", "DHE"))
    assert names.index("ECDHE-RSA-AES256-GCM-SHA384") < names.index("DHE-RSA-AES256-GCM-SHA384")
    assert all("ECDSA" in ciphers.name(number) or "DSS" in ciphers.name(number) for number in other)
    assert {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA"} <= {ciphers.name(number) for number in other}
