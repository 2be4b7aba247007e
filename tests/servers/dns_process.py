"""What the real DNS servers of the tests share: keys, free ports, privilege drop, readiness, and an end by pid.

Every server module (``bind``, ``nsd``, ``knot``) offers the same::

    with bind.serve({"example.com": soa("example.com") + "www 300 IN A 192.0.2.1\\n"}) as port:
        ...                                   # answers queries and AXFR on 127.0.0.1:port and [::1]:port

    key = Key("xfr-key")                      # TSIG, hmac-sha256, a fresh secret
    with bind.serve(zones, transfer={"example.com": key, "closed.example": None}) as port: ...

A zone absent from ``transfer`` is open to everyone, None refuses every transfer, a Key asks for that key.
"""

import base64
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
from servers.ending import end

ADDRESSES = ("127.0.0.1", "::1")
START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Key:
    """A TSIG key as a server holds it."""

    name: str
    algorithm: str = "hmac-sha256"
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def base64(self) -> str:
        """The secret as every server's configuration wants it."""
        return base64.b64encode(self.secret).decode()


Transfer = Mapping[str, Key | None]


@dataclass(frozen=True, slots=True)
class Setup:
    """One server to start: its own folder, port, zones (name without final dot -> file) and transfer rules."""

    folder: Path
    port: int
    addresses: tuple[str, ...]
    files: Mapping[str, Path]
    transfer: Transfer

    @property
    def keys(self) -> list[Key]:
        """Every key that is named in a rule, once."""
        return list({key.name: key for key in self.transfer.values() if key}.values())


Configure = Callable[[Setup], list[str]]
"""Writes the configuration into the set-up's folder and returns the command to run in the foreground."""


def soa(zone: str, serial: int = 1) -> str:
    """SOA and NS of a small zone; records may follow, one a line."""
    return (
        f"@ 3600 IN SOA ns.{zone}. hostmaster.{zone}. {serial} 3600 900 604800 300\n"
        f"@ 3600 IN NS ns.{zone}.\nns 3600 IN A 127.0.0.1\n"
    )


def free_port(addresses: tuple[str, ...] = ADDRESSES) -> int:
    """A port that is free for TCP and UDP on all of ``addresses``."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if all(_is_free(address, port, kind) for address in addresses for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return port
    raise RuntimeError("no free port on loopback after 100 tries")


def _is_free(address: str, port: int, kind: socket.SocketKind) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def unprivileged(command: list[str], folder: Path) -> list[str]:
    """``command`` run as ``nobody`` without capabilities when we are root; as it is otherwise."""
    if os.getuid() != 0:
        return command
    user = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    return ["setpriv", *identity, *command]


@contextmanager
def running(
    configure: Configure, zones: Mapping[str, str], transfer: Transfer, addresses: tuple[str, ...]
) -> Iterator[int]:
    """Start the server that ``configure`` describes, wait until it answers for every zone, yield its port, end it by pid."""
    folder = Path(tempfile.mkdtemp(prefix="dns-server-"))
    try:
        process, port = _start(configure, zones, transfer, addresses, folder)
        try:
            yield port
        finally:
            end(process, 5)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(
    configure: Configure, zones: Mapping[str, str], transfer: Transfer, addresses: tuple[str, ...], folder: Path
) -> tuple["subprocess.Popen[bytes]", int]:
    for attempt in range(3):  # another process may take the port between our look and the server's bind
        place = folder / str(attempt)
        place.mkdir()
        files = {}
        for number, (name, text) in enumerate(zones.items()):
            files[name] = place / f"zone-{number}"
            files[name].write_text(f"$ORIGIN {name}.\n$TTL 300\n{text}")
        setup = Setup(place, free_port(addresses), addresses, files, transfer)
        command = unprivileged(configure(setup), folder)
        log = place / "stderr"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=place)
        try:
            _wait_until_ready(process, setup)
        except RuntimeError as error:
            end(process, 5)
            text = log.read_text(errors="replace")
            if attempt == 2 or "in use" not in text:
                raise RuntimeError(f"{command}: {error}\n{text}") from None
        else:
            return process, setup.port
    raise AssertionError("unreachable: the loop returns or raises")


def _wait_until_ready(process: "subprocess.Popen[bytes]", setup: Setup) -> None:
    end = time.monotonic() + START_SECONDS
    waiting = [(zone, address) for zone in setup.files for address in setup.addresses]
    while waiting:
        zone, address = waiting[0]
        problem = _soa_problem(zone, address, setup.port)
        if problem is None:
            waiting.pop(0)
        elif process.poll() is not None:
            raise RuntimeError(f"ended with status {process.returncode} before it answered")
        elif time.monotonic() > end:
            raise RuntimeError(f"no good answer for the SOA of {zone} at {address} in {START_SECONDS} s: {problem}")
        else:
            time.sleep(0.03)


def _soa_problem(zone: str, address: str, port: int) -> str | None:
    try:
        answer = dns.query.tcp(dns.message.make_query(zone, "SOA"), address, port=port, timeout=1.0)
    except (OSError, dns.exception.DNSException, EOFError) as error:
        return repr(error)
    return None if answer.rcode() == dns.rcode.NOERROR and answer.answer else dns.rcode.to_text(answer.rcode())
