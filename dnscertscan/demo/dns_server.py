"""A small authoritative DNS server on loopback: UDP and TCP on one port, zone transfers, TSIG. For demonstration and tests."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.tsig

from dnscertscan.demo.connections import Connections
from dnscertscan.demo.dns_answers import Answers, read_zones

UDP_SIZE = 1232
"""Octets of a UDP answer to a client that says it takes more (the DNS flag day 2020's value)."""


def free_udp_and_tcp(address: str = "127.0.0.1", attempts: int = 50) -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket bound to the same free port of ``address``. Raises OSError when none is found."""
    for _ in range(attempts):
        tcp = socket.create_server((address, 0))
        udp = socket.socket(type=socket.SOCK_DGRAM)
        try:
            udp.bind((address, tcp.getsockname()[1]))
        except OSError as error:
            udp.close()
            tcp.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return udp, tcp
    raise OSError(errno.EADDRINUSE, f"no port of {address} is free for both UDP and TCP")


class DnsServer:
    """Serves zone texts (zone name to master file text) on sockets that are bound already; runs in the loop that starts it.

    ``keys`` are accepted for TSIG (RFC 8945); with any, a transfer has to be signed with one of them.
    """

    def __init__(
        self, zone_texts: Mapping[str, str], udp: socket.socket, tcp: socket.socket, keys: Sequence[dns.tsig.Key] = ()
    ) -> None:
        self._answers = Answers(read_zones(zone_texts), transfer_needs_key=bool(keys))
        self._keys = {key.name: key for key in keys}
        self._udp, self._tcp = udp, tcp
        self._connections = Connections()
        self._datagrams: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Begin to answer."""
        loop = asyncio.get_running_loop()
        self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self.answer), sock=self._udp)
        self._connections.listen(self._tcp, lambda: _Stream(self._connections, self.answer))

    async def stop(self) -> None:
        """Stop answering and drop what is open. A second call does nothing."""
        if self._datagrams:
            self._datagrams.close()
        await self._connections.end()

    def answer(self, wire: bytes, *, tcp: bool) -> Iterator[bytes]:
        """The messages to send for one that was received; none for what is no query at all."""
        try:
            query = dns.message.from_wire(wire, keyring=lambda _message, name: self._keys.get(name))
        except (dns.message.UnknownTSIGKey, dns.tsig.BadAlgorithm):
            yield from _tsig_refusal(wire, dns.rcode.BADKEY)
            return
        except dns.tsig.BadSignature:
            yield from _tsig_refusal(wire, dns.rcode.BADSIG)
            return
        except dns.tsig.BadTime:
            yield from _tsig_refusal(wire, dns.rcode.BADTIME)
            return
        except (dns.exception.DNSException, ValueError):
            yield from _format_error(wire)
            return
        if query.flags & dns.flags.QR:
            return
        limit = 65535 if tcp else min(max(query.payload, 512), UDP_SIZE)
        context = None
        messages = list(self._answers.respond(query, tcp=tcp))
        for message in messages:
            yield message.to_wire(max_size=limit, prefer_truncation=True, multi=len(messages) > 1, tsig_ctx=context)
            context = message.tsig_ctx


def _tsig_refusal(wire: bytes, error: dns.rcode.Rcode) -> Iterator[bytes]:
    """NOTAUTH with an unsigned TSIG record that says why (RFC 8945 5.2)."""
    query = dns.message.from_wire(wire, keyring=False)
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.NOTAUTH)
    if query.tsig:
        response.tsig = dns.rrset.from_rdata(query.tsig.name, 0, query.tsig[0].replace(mac=b"", error=error, other=b""))
        response.want_tsig_sign = False
    yield response.to_wire()


def _format_error(wire: bytes) -> Iterator[bytes]:
    if len(wire) >= 12 and not wire[2] & 0x80:
        response = dns.message.Message(id=int.from_bytes(wire[:2], "big"))
        response.flags = dns.flags.QR
        response.set_rcode(dns.rcode.FORMERR)
        yield response.to_wire()


class _Datagrams(asyncio.DatagramProtocol):
    _transport: asyncio.DatagramTransport

    def __init__(self, answer: Callable[..., Iterator[bytes]]) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, no isinstance: Python 3.11's datagram transport does not derive from asyncio.DatagramTransport.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for wire in self._answer(data, tcp=False):
            self._transport.sendto(wire, addr)


class _Stream(asyncio.Protocol):
    """Messages with a two-octet length before each (RFC 1035 4.2.2); a client may send several and close when it likes."""

    _transport: asyncio.Transport

    def __init__(self, connections: Connections, answer: Callable[..., Iterator[bytes]]) -> None:
        self._connections = connections
        self._answer = answer
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self._connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended matters to nobody here
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 2:
            size = int.from_bytes(self._buffer[:2], "big")
            if len(self._buffer) < 2 + size:
                return
            message = bytes(self._buffer[2:2 + size])
            del self._buffer[:2 + size]
            for wire in self._answer(message, tcp=True):
                self._transport.write(len(wire).to_bytes(2, "big") + wire)
