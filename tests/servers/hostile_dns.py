"""TCP servers that misbehave the way a script says, for what no real name server does.

    def silent(peer: Peer) -> None:
        peer.wait()

    with scripted(silent) as port: ...

A script is called for every connection with a :class:`Peer`; the connection is closed when it returns or the peer goes away.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rrset


@dataclass
class Peer:
    """One client, and whether the test is over."""

    socket: socket.socket
    over: threading.Event

    def request(self) -> bytes:
        """The client's request, without the length."""
        (length,) = struct.unpack("!H", self._exactly(2))
        return self._exactly(length)

    def query(self) -> dns.message.Message:
        """The client's request as a message (a TSIG is not looked at)."""
        return dns.message.from_wire(self.request(), keyring=False)

    def send(self, wire: bytes) -> None:
        """Send one DNS message, and give way: who sends without a pause keeps the client, in the same process, from its lock."""
        self.socket.sendall(struct.pack("!H", len(wire)) + wire)
        time.sleep(0.0001)

    def wait(self, seconds: float = 30.0) -> bool:
        """Do nothing until the test is over (True) or the time is up (False)."""
        return self.over.wait(seconds)

    def _exactly(self, count: int) -> bytes:
        octets = b""
        while len(octets) < count:
            more = self.socket.recv(count - len(octets))
            if not more:
                raise ConnectionResetError
            octets += more
        return octets


def answer(query: dns.message.Message, *records: str, rcode: int = 0) -> dns.message.Message:
    """A reply with ``records`` ("name ttl IN type rdata") in this order, each in an RRset of its own."""
    reply = dns.message.Message(id=query.id)
    reply.flags = dns.flags.QR | dns.flags.AA
    reply.question = list(query.question)
    reply.set_rcode(rcode)
    for text in records:
        name, ttl, rdclass, rdtype, rdata = text.split(maxsplit=4)
        reply.answer.append(dns.rrset.from_text(name, int(ttl), rdclass, rdtype, rdata))
    return reply


@contextmanager
def scripted(script: Callable[[Peer], None], address: str = "127.0.0.1") -> Iterator[int]:
    """Run ``script`` for every connection to a free port of ``address``; yields the port."""
    over = threading.Event()
    listener = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.settimeout(0.05)
    workers: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            try:
                script(Peer(connection, over))
            except OSError:
                return  # the client went away, which is what a client of a hostile server does

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            workers.append(threading.Thread(target=serve, args=(connection,)))
            workers[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        acceptor.join(5)
        listener.close()
        for worker in workers:
            worker.join(5)
        assert not any(worker.is_alive() for worker in workers), "a script of a hostile server did not end"
