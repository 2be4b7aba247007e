"""One DNS question to one nameserver: over UDP from a fresh port, over TCP when the answer was cut short (RFC 7766 5)."""

import asyncio
import os
import socket

import dns.asyncquery
import dns.exception
import dns.message
import dns.name

from dnscertscan.model.text import visible

MAX_DATAGRAM = 65535
_HEADER = 12
_TC = 0x02
"""The truncation bit, in the third octet of the header (RFC 1035 4.1.1)."""
BROKEN = (dns.exception.DNSException, EOFError, ValueError)
"""What dnspython raises for octets that are no DNS message."""

Server = tuple[str, int]
"""IP literal and port."""


def server_text(server: Server) -> str:
    """``192.0.2.1:53`` or ``[2001:db8::1]:53``."""
    address, port = server
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


async def exchange(name: dns.name.Name, family: str, server: Server, seconds: float) -> tuple[dns.message.Message | None, str]:
    """The answer of one nameserver, or None and what went wrong (empty for plain silence).

    Waits ``seconds`` for the datagram and, when it was truncated, as long again for TCP.
    """
    query = dns.message.make_query(name, family)
    over = ""
    try:
        async with asyncio.timeout(seconds):
            answer = await _udp(query, server)
        if answer is None:
            over = "truncated, and over TCP: "
            async with asyncio.timeout(seconds):
                answer = await dns.asyncquery.tcp(query, server[0], seconds, server[1])
    except (dns.exception.Timeout, TimeoutError):
        return None, f"{over}timeout (from {server_text(server)})" if over else ""
    except (OSError, *BROKEN) as error:
        cause = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error) or type(error).__name__
        return None, f"{over}{visible(cause, 200)} (from {server_text(server)})"
    return answer, ""


async def _udp(query: dns.message.Message, server: Server) -> dns.message.Message | None:
    """The first datagram that answers the query; None when it is truncated.

    asyncio's own transport would cost a third of the whole look-up. The socket is connected, so that datagrams of others do
    not arrive and a closed port is an error at once; what has another id or question is passed over (RFC 5452 9.1).
    """
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(server)
        sock.send(query.to_wire())
        while True:
            wire = await loop.sock_recv(sock, MAX_DATAGRAM)
            if len(wire) < _HEADER or wire[:2] != query.id.to_bytes(2, "big"):
                continue
            if wire[2] & _TC:
                return None
            try:
                answer = dns.message.from_wire(wire)
            except BROKEN:
                continue
            if query.is_response(answer):
                return answer
