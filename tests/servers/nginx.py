"""nginx as a real TLS server: several hosts by SNI on free loopback ports, unprivileged, ended by pid.

    with nginx.serve([Host("a.test", [rsa, ecdsa]), Host("*.w.test", [wild]), Host("m.test", [c], mtls=ca_pem)]) as port: ...

The first host is what a client without SNI (or with an unknown name) gets.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers.dns_process import free_port, unprivileged
from servers.ending import end

from dnscertscan.demo.authority import Credential

_START_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Host:
    """One ``server`` block. ``mtls`` is the PEM of the CA that client certificates must come from.

    ``addresses``: where this one is, if not on all that are served; the same name may be elsewhere with another certificate.
    """

    name: str
    credentials: Sequence[Credential]
    protocols: str = "TLSv1.2 TLSv1.3"
    mtls: bytes | None = None
    optional: bool = False
    ciphers: str = "DEFAULT:@SECLEVEL=0"
    addresses: Sequence[str] = ()


@contextmanager
def serve(hosts: Sequence[Host], addresses: Sequence[str] = ("127.0.0.1",)) -> Iterator[int]:
    """One port on all of ``addresses``."""
    folder = Path(tempfile.mkdtemp(prefix="nginx-"))
    try:
        port = free_port(tuple(addresses))
        conf = folder / "nginx.conf"
        conf.write_text(_configuration(folder, hosts, addresses, port))
        command = unprivileged(["nginx", "-p", str(folder), "-e", "stderr", "-c", str(conf)], folder)
        log = folder / "stderr"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder)
        try:
            _wait(process, addresses[0], port, log)
            yield port
        finally:
            end(process, 5)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(folder: Path, hosts: Sequence[Host], addresses: Sequence[str], port: int) -> str:
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    blocks = "".join(_block(folder, number, host, addresses, port) for number, host in enumerate(hosts))
    return (
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr crit; events {{ worker_connections 4096; }}\n"
        f"http {{ access_log off; {temporary} ssl_session_cache off;\n"
        f"server_names_hash_bucket_size 128; server_names_hash_max_size 4096;\n{blocks}}}\n"
    )


def _block(folder: Path, number: int, host: Host, addresses: Sequence[str], port: int) -> str:
    own = host.addresses or addresses
    lines = [f"listen {f'[{address}]' if ':' in address else address}:{port} ssl;" for address in own]
    for index, credential in enumerate(host.credentials):
        chain, key = folder / f"{number}-{index}.pem", folder / f"{number}-{index}.key"
        chain.write_bytes(credential.chain_pem)
        key.write_bytes(credential.key_pem)
        lines.append(f"ssl_certificate {chain}; ssl_certificate_key {key};")
    if host.mtls is not None:
        (folder / f"{number}-ca.pem").write_bytes(host.mtls)
        wanted = "optional" if host.optional else "on"
        lines.append(f"ssl_client_certificate {folder}/{number}-ca.pem; ssl_verify_client {wanted};")
    return (
        f"server {{ server_name {host.name}; ssl_protocols {host.protocols}; ssl_ciphers {host.ciphers}; "
        f"{' '.join(lines)} return 200 ok; }}\n"
    )


def _wait(process: "subprocess.Popen[bytes]", address: str, port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nginx does not answer: {log.read_text(errors='replace')[-2000:]}")
