"""The passive reader: any cut of the octets gives the same facts, and no octets give anything but facts or FlightError."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import hostile, tls13_liar

from dnscertscan.scan import banner, ciphers
from dnscertscan.scan.flight import Flight, FlightError, FlightTooLargeError
from dnscertscan.scan.hello import client_hello

CHAIN = (b"\x30\x03\x02\x01\x01", b"\x30\x03\x02\x01\x02" * 9000)


def _read(pieces: list[bytes]) -> Flight:
    flight = Flight(1 << 20)
    for piece in pieces:
        flight.feed(piece)
    return flight


@given(st.lists(st.integers(1, 60_000), max_size=20), st.integers(100, 16000))
def test_cuts_do_not_matter(cuts: list[int], size: int) -> None:
    """Records and messages may be split and joined in any way."""
    octets = hostile.server_hello() + hostile.certificate_list(CHAIN) + hostile.message(14, b"")
    wire = hostile.records(octets, size=size)
    edges = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    flight = _read([wire[a:b] for a, b in pairwise(edges)])
    assert (flight.certificates, flight.complete, flight.protocol) == (CHAIN, True, "TLS 1.2")
    assert ciphers.name(flight.cipher) == "AES128-SHA"


@given(st.lists(st.tuples(st.sampled_from([20, 21, 22, 23]), st.binary(max_size=200)), max_size=10))
def test_hostile_records(bodies: list[tuple[int, bytes]]) -> None:
    """Well-framed nonsense is read or refused, never more."""
    with suppress(FlightError):
        _read([hostile.record(kind, body) for kind, body in bodies])


@given(st.sampled_from([2, 11, 13, 22]), st.binary(max_size=300), st.booleans())
def test_hostile_messages(kind: int, body: bytes, modern: bool) -> None:
    """Messages with lengths that lie are refused."""
    flight = Flight(1 << 20)
    flight.version = 0x0304 if modern else 0x0303
    with suppress(FlightError):
        flight.feed(hostile.records(hostile.message(kind, body)))


@given(st.binary(max_size=300))
def test_hostile_octets(data: bytes) -> None:
    """Octets of any kind; what is no TLS gets a description that is safe to print."""
    with suppress(FlightError):
        _read([data])
    assert banner.describe(data).isprintable()


def test_long_messages_are_refused_by_their_header() -> None:
    """A message longer than the limit is refused as soon as its length is known."""
    flight = Flight(1000)
    with pytest.raises(FlightTooLargeError, match="certificate message of 5000 octets"):
        flight.feed(hostile.record(22, b"\x0b" + (5000).to_bytes(3)))


def test_staple_and_client_request_in_clear() -> None:
    """Up to TLS 1.2 the stapled response and the wish for a client certificate are read from the wire."""
    status = b"\x01" + (3).to_bytes(3) + b"ocs"
    octets = hostile.server_hello() + hostile.certificate_list(CHAIN) + hostile.message(22, status)
    flight = _read([hostile.records(octets + hostile.message(13, b"\x01\x01\0\0\0\0") + hostile.message(14, b""))])
    assert (flight.staple, flight.client_auth, flight.complete) == (b"ocs", True, True)


def _extension(number: int, body: bytes) -> bytes:
    return number.to_bytes(2) + len(body).to_bytes(2) + body


def test_extensions_in_clear() -> None:
    """Up to TLS 1.2 the ServerHello says which application protocol was chosen and carries the list of SCTs."""
    extensions = _extension(16, b"\0\x03\x02h2") + _extension(18, b"\0\x04\0\x02ab")
    hello = b"\x03\x03" + bytes(32) + b"\0\x00\x2f\0" + len(extensions).to_bytes(2) + extensions
    flight = _read([hostile.records(hostile.message(2, hello) + hostile.certificate_list(CHAIN) + hostile.message(14, b""))])
    assert (flight.alpn, flight.scts, flight.certificates) == ("h2", b"\0\x04\0\x02ab", CHAIN)


def test_extensions_of_tls_1_3() -> None:
    """In TLS 1.3 they come in EncryptedExtensions and with the leaf; what comes with an issuer is not the leaf's."""
    def entry(der: bytes, extensions: bytes) -> bytes:
        return len(der).to_bytes(3) + der + len(extensions).to_bytes(2) + extensions

    chosen = _extension(16, b"\0\x03\x02h2")
    entries = entry(b"leaf", _extension(18, b"scts") + _extension(5, b"\x01\0\0\x01x"))
    entries += entry(b"issuer", _extension(18, b"other"))
    flight = Flight(1 << 20)
    flight.version = 0x0304
    body = hostile.message(8, len(chosen).to_bytes(2) + chosen)
    body += hostile.message(11, b"\0" + len(entries).to_bytes(3) + entries)
    flight.feed(hostile.records(body))
    assert (flight.alpn, flight.scts, flight.staple) == ("h2", b"scts", b"x")
    assert flight.certificates == (b"leaf", b"issuer")


@given(st.binary(max_size=20))
def test_a_malformed_choice_is_no_reason_to_fail(body: bytes) -> None:
    """Whatever stands in the extension for the application protocol, the certificates are read."""
    extensions = _extension(16, body)
    hello = b"\x03\x03" + bytes(32) + b"\0\x00\x2f\0" + len(extensions).to_bytes(2) + extensions
    assert _read([hostile.records(hostile.message(2, hello) + hostile.certificate_list(CHAIN))]).certificates == CHAIN


def test_hello_has_the_shape_of_the_standard() -> None:
    """Record, message and extension lengths add up, and the name stands in it."""
    hello = client_hello(ciphers.with_certificate(), bytes(32), "a.test")
    assert (hello[0], int.from_bytes(hello[3:5])) == (22, len(hello) - 5)
    assert (hello[5], int.from_bytes(hello[6:9])) == (1, len(hello) - 9)
    assert b"\0\0\0\x0b\0\x09\0\0\x06a.test" in hello
    assert b"a.test" not in client_hello(ciphers.with_certificate(), bytes(32))


@pytest.mark.parametrize("length", [0, 1, 3, 60_000])
def test_a_chosen_version_is_two_octets(length: int) -> None:
    """A server cannot choose the length of our texts: another length is no ServerHello."""
    extension = (43).to_bytes(2) + length.to_bytes(2) + b"\x11" * length
    body = b"\x03\x03" + b"\x22" * 32 + b"\0\xc0\x2f\0" + len(extension).to_bytes(2) + extension
    flight = Flight(1 << 20)
    with pytest.raises(FlightError, match=f"supported_versions of {length} octets"):
        flight.feed(hostile.records(hostile.message(2, body)))
    assert flight.protocol == ""


def test_a_second_hello_retry_request_is_an_error() -> None:
    """It may be sent once (RFC 8446 4.1.4)."""
    flight, again = Flight(1 << 20), tls13_liar.hello_retry(client_hello([0x1301], bytes(32), "a.test"))
    flight.feed(again)
    assert flight.retry
    with pytest.raises(FlightError, match="second HelloRetryRequest"):
        flight.feed(again)
