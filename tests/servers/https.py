"""Many good TLS endpoints from one small process: one certificate, one port, as many loopback addresses as asked for."""

import multiprocessing
import socket
import ssl
import tempfile
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from dnscertscan.demo.authority import Authority, pem


class HttpsServers:
    """TLS servers on 127.0.7.1 and on, in a process of their own so that they do not share the caller's interpreter lock.

    The certificate (for ``*.a.example``, valid two more days, so that each endpoint gives a warning and an error: the CA of
    ``ca_pem`` is not its issuer) is the same on all of them. ``visitors``: a file that gets the address of each connection.
    """

    def __init__(self, *, addresses: int, visitors: Path | None = None) -> None:
        self._visitors = visitors
        self.addresses = [f"127.0.7.{number}" for number in range(1, addresses + 1)]
        now = datetime.now(UTC)
        issuer = Authority.root("Servers Root", now=now).intermediate("Servers Issuer")
        self._leaf = issuer.leaf("*.a.example", not_after=now + timedelta(days=2))
        self.ca_pem = pem([Authority.root("Another Root", now=now).certificate])
        self.port = 0

    def __enter__(self) -> Self:
        self._here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        arguments = (self.addresses, self._leaf.chain_pem, self._leaf.key_pem, there, self._visitors)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        there.close()
        self.port = self._here.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._here.close()


def _serve(addresses: list[str], chain: bytes, key: bytes, pipe: Connection, visitors: Path | None) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "chain.pem").write_bytes(chain)
        Path(folder, "key.pem").write_bytes(key)
        context.load_cert_chain(f"{folder}/chain.pem", f"{folder}/key.pem")
    listeners = [socket.create_server((addresses[0], 0), backlog=256)]
    port = listeners[0].getsockname()[1]
    listeners += [socket.create_server((address, port), backlog=256) for address in addresses[1:]]
    for listener in listeners:
        threading.Thread(target=_accept, args=(listener, context, visitors), daemon=True).start()
    pipe.send(port)
    with suppress(EOFError):
        pipe.recv()


def _accept(listener: socket.socket, context: ssl.SSLContext, visitors: Path | None) -> None:
    while True:
        peer, _ = listener.accept()
        if visitors:
            with visitors.open("a") as log:
                log.write(f"{listener.getsockname()[0]}\n")
        threading.Thread(target=_greet, args=(peer, context), daemon=True).start()


def _greet(peer: socket.socket, context: ssl.SSLContext) -> None:
    peer.settimeout(5)
    with suppress(OSError), context.wrap_socket(peer, server_side=True) as tls:
        tls.recv(1)
    peer.close()
