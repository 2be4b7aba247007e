"""Servers that accept a connection and then do something else than a TLS server should.

    with hostile.serve(hostile.silent) as port: ...            # 127.0.0.1:port, every connection runs the behaviour
    with hostile.serve(hostile.first_good(good, hostile.drip)) as port: ...

A behaviour is a function of one :class:`Visit`. Every server is bounded (threads end with the context; endless data ends at
``MAX_SENT``), listens on loopback only and needs no rights.
"""

import itertools
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

MAX_SENT = 256 << 20
TLS12 = 0x0303
TLS10 = 0x0301


@dataclass
class Visit:
    """One accepted connection; ``number`` counts them from 0."""

    conn: socket.socket
    number: int
    stop: threading.Event

    def send(self, data: bytes) -> None:
        self.conn.sendall(data)

    def hello(self) -> bytes:
        """Wait for the client's first octets."""
        return self.conn.recv(65536)

    def wait(self, seconds: float = 60) -> None:
        self.stop.wait(seconds)

    def reset(self) -> None:
        """Leave with RST instead of FIN."""
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.conn.close()


Behaviour = Callable[[Visit], None]


@dataclass
class Server:
    """What a running server knows about itself."""

    port: int
    visits: int = 0
    stop: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve(behaviour: Behaviour, address: str = "127.0.0.1") -> Iterator[int]:
    """The port of a server that treats every connection alike."""
    with watched(behaviour, address) as server:
        yield server.port


@contextmanager
def watched(behaviour: Behaviour, address: str = "127.0.0.1") -> Iterator[Server]:
    """As :func:`serve`, with the number of connections it has seen."""
    listener = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=512)
    server = Server(listener.getsockname()[1])
    open_now: set[socket.socket] = set()
    threads: list[threading.Thread] = []

    def one(conn: socket.socket, number: int) -> None:
        with conn, suppress(OSError):
            behaviour(Visit(conn, number, server.stop))
        open_now.discard(conn)

    def accept() -> None:
        for number in itertools.count():
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            server.visits += 1
            open_now.add(conn)
            thread = threading.Thread(target=one, args=(conn, number), daemon=True)
            thread.start()
            threads.append(thread)

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for conn in list(open_now):
            with suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
        accepting.join(5)
        for thread in threads:
            thread.join(5)


# --- octets -------------------------------------------------------------------------------------------------------------------

def record(kind: int, body: bytes, version: int = TLS12) -> bytes:
    return bytes([kind]) + version.to_bytes(2) + len(body).to_bytes(2) + body


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3) + body


def server_hello(version: int = TLS12, cipher: int = 0x002F) -> bytes:
    return message(2, version.to_bytes(2) + b"\x11" * 32 + b"\0" + cipher.to_bytes(2) + b"\0")


def certificate_list(chain: Sequence[bytes]) -> bytes:
    entries = b"".join(len(der).to_bytes(3) + der for der in chain)
    return message(11, len(entries).to_bytes(3) + entries)


def records(octets: bytes, version: int = TLS12, size: int = 16000) -> bytes:
    return b"".join(record(22, octets[at : at + size], version) for at in range(0, len(octets), size))


def flight(chain: Sequence[bytes], version: int = TLS12, cipher: int = 0x002F) -> bytes:
    """ServerHello, Certificate, ServerHelloDone with RSA key transport: valid as far as the client can see."""
    return records(server_hello(version, cipher) + certificate_list(chain) + message(14, b""), version)


# --- behaviours ---------------------------------------------------------------------------------------------------------------

def silent(visit: Visit) -> None:
    visit.wait()


def close_at_once(visit: Visit) -> None:
    visit.conn.shutdown(socket.SHUT_RDWR)


def close_on_hello(visit: Visit) -> None:
    visit.hello()


def reset(visit: Visit) -> None:
    visit.hello()
    visit.reset()


def drip(visit: Visit, pause: float = 0.3) -> None:
    """A plausible TLS record, one octet at a time."""
    for octet in record(22, message(2, b"\x03\x03" + b"x" * 14000)):
        visit.send(bytes([octet]))
        if visit.stop.wait(pause):
            return


def endless(visit: Visit) -> None:
    """Well-formed records that never make up a complete message."""
    visit.hello()
    visit.send(records(server_hello() + b"\x0b\x0f\xff\xff" + b"x" * 1000))
    block = record(22, b"x" * 16384) * 8
    for _ in range(MAX_SENT // len(block)):
        visit.send(block)


def huge_certificate(visit: Visit) -> None:
    """A certificate message of 16 MB."""
    visit.hello()
    visit.send(records(server_hello() + certificate_list([b"\x30" * ((1 << 24) - 20)])))
    visit.wait()


def hello_requests(visit: Visit) -> None:
    visit.hello()
    block = record(22, message(0, b"") * 100) * 100
    for _ in range(MAX_SENT // len(block)):
        visit.send(block)


def empty_records(visit: Visit) -> None:
    visit.hello()
    block = record(22, b"") * 10000
    for _ in range(MAX_SENT // len(block)):
        visit.send(block)


def alert(number: int, level: int = 2) -> Behaviour:
    def behave(visit: Visit) -> None:
        visit.hello()
        visit.send(record(21, bytes([level, number])))
        if level == 2:
            visit.hello()

    return behave


def says(data: bytes, *, first: bool = True) -> Behaviour:
    """Says its line, as a greeting or as an answer to the hello, and waits for the client to leave."""
    def behave(visit: Visit) -> None:
        if not first:
            visit.hello()
        visit.send(data)
        visit.hello()
        visit.hello()

    return behave


http = says(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>plain HTTP request</html>", first=False)
ssh = says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
smtp_banner = says(b"220 mail.a.test ESMTP Postfix\r\n")
smtp_not_utf8 = says(b"554 d\xe9sol\xe9, acc\xe8s refus\xe9\r\n")
ftp_banner = says(b"220 (vsFTPd 3.0.3)\r\n")
pop3_banner = says(b"+OK Dovecot ready.\r\n")
imap_banner = says(b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n")
mysql = says(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0")
garbage = says(bytes(range(200, 256)) * 20, first=False)


def fixed_flight(chain: Sequence[bytes], version: int = TLS12, cipher: int = 0x002F, then: bytes = b"") -> Behaviour:
    """Shows a certificate list, takes the client's second flight, says ``then`` and leaves."""
    def behave(visit: Visit) -> None:
        visit.hello()
        visit.send(flight(chain, version, cipher))
        visit.hello()
        if then:
            visit.send(then)
            visit.hello()

    return behave


def tls(chain: Sequence[bytes], key_pem: bytes) -> Behaviour:
    """A real TLS server: finishes the handshake, then waits for the client to leave."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(key_pem + b"".join(ssl.DER_cert_to_PEM_cert(der).encode() for der in chain))
        file.flush()
        context.load_cert_chain(file.name)

    def behave(visit: Visit) -> None:
        with context.wrap_socket(visit.conn, server_side=True) as conn:
            conn.recv(100)

    return behave


def first_good(well: Behaviour, later: Behaviour, good: int = 1) -> Behaviour:
    """Behaves well to the first connections and turns bad for all that follow."""
    def behave(visit: Visit) -> None:
        (well if visit.number < good else later)(visit)

    return behave


def smtp_dialogue(*answers: bytes, then: Behaviour | None = None) -> Behaviour:
    """Greeting and answers of an SMTP server, one for each line the client sends; then something else."""
    def behave(visit: Visit) -> None:
        for number, answer in enumerate(answers):
            if number:
                visit.hello()
            visit.send(answer)
        (then or silent)(visit)

    return behave


def smtp_endless(visit: Visit) -> None:
    """A greeting that never ends."""
    block = b"220-and another line\r\n" * 1000
    for _ in range(MAX_SENT // len(block)):
        visit.send(block)


def slow_greeting(visit: Visit) -> None:
    """A greeting of one octet at a time."""
    while not visit.stop.wait(0.2):
        visit.send(b"2")


NO_CERTIFICATE: tuple[Behaviour, ...] = (
    silent, close_at_once, close_on_hello, reset, drip, endless, huge_certificate, hello_requests, empty_records, http, garbage,
    alert(40), smtp_endless,
)
"""One of each kind that lets itself be connected to and gives no certificate."""


def name(behaviour: Behaviour) -> str:
    """For the ids of tests."""
    return getattr(behaviour, "__name__", "") or "odd"
