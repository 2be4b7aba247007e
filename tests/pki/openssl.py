"""What ``openssl verify`` says of a chain: the yardstick of the agreement test and benchmark."""

import subprocess
from base64 import encodebytes
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from pki.worlds import Case


def pem(certificates: Iterable[bytes]) -> bytes:
    return b"".join(
        b"-----BEGIN CERTIFICATE-----\n" + encodebytes(octets) + b"-----END CERTIFICATE-----\n" for octets in certificates
    )


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def verify(case: Case, folder: Path, *options: str, level: int = 2) -> tuple[bool, str]:
    """Whether OpenSSL accepts, and its error line. Level 2 asks for 112 bits, as TLS clients on current systems do."""
    files = {"leaf": case.chain[:1], "sent": case.chain[1:], "anchors": case.anchors}
    for label, certificates in files.items():
        (folder / label).write_bytes(pem(certificates))
    asked = ["-verify_ip" if _is_address(case.name) else "-verify_hostname", case.name]
    sent = ["-untrusted", str(folder / "sent")] if case.chain[1:] else []
    command = [
        "openssl", "verify", "-no-CApath", "-no-CAstore", "-purpose", "sslserver", *asked,
        "-attime", str(int(case.at.timestamp())), "-auth_level", str(level),
        "-CAfile", str(folder / "anchors"), *sent, *options, str(folder / "leaf"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=20, check=False)
    accepted = done.returncode == 0 and done.stdout.rstrip().endswith(": OK")
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "error" in line.lower()]
    return accepted, lines[0] if lines else ""
