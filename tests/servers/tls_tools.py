"""``openssl s_server`` and ``gnutls-serv`` with odd settings: unprivileged, on free loopback ports, ended by pid."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from servers.dns_process import free_port, unprivileged

from dnscertscan.demo.authority import Credential

_START_SECONDS = 15.0


@contextmanager
def s_server(*options: str, credential: Credential | None = None, staple: bytes | None = None) -> Iterator[int]:
    """``openssl s_server`` with these options; without a credential it has no certificate, without a staple it sends none."""
    def command(port: int, folder: Path) -> Sequence[str]:
        identity = ["-nocert"]
        if credential is not None:
            (folder / "chain.pem").write_bytes(credential.chain_pem)
            (folder / "key.pem").write_bytes(credential.key_pem)
            identity = ["-cert", f"{folder}/chain.pem", "-cert_chain", f"{folder}/chain.pem", "-key", f"{folder}/key.pem"]
        if staple is not None:
            (folder / "staple.der").write_bytes(staple)
            identity += ["-status_file", f"{folder}/staple.der"]
        return ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", *identity, *options]

    with _running(command) as port:
        yield port


@contextmanager
def gnutls_serv(credential: Credential, priority: str = "NORMAL", *options: str) -> Iterator[int]:
    """``gnutls-serv`` with a priority string."""
    def command(port: int, folder: Path) -> Sequence[str]:
        (folder / "chain.pem").write_bytes(credential.chain_pem)
        (folder / "key.pem").write_bytes(credential.key_pem)
        files = ["--x509certfile", f"{folder}/chain.pem", "--x509keyfile", f"{folder}/key.pem"]
        return ["gnutls-serv", "--port", str(port), "--priority", priority, "--quiet", *files, *options]

    with _running(command) as port:
        yield port


@contextmanager
def _running(command_for: Callable[[int, Path], Sequence[str]]) -> Iterator[int]:
    folder = Path(tempfile.mkdtemp(prefix="tls-server-"))
    try:
        port = free_port(("127.0.0.1",))
        log = folder / "log"
        with log.open("wb") as output:
            command = unprivileged(list(command_for(port, folder)), folder)
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)
        try:
            _wait(process, port, log)
            yield port
        finally:
            process.kill()
            process.communicate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not answer: {log.read_text(errors='replace')[-2000:]}")
