"""Every fault of the demonstration fleet: the rows a scan writes, all of them, and what OpenSSL says, as a Markdown table.

    python benchmarks/fault_table.py
"""

import csv
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from dnscertscan.demo.fleet import DemoFleet


def openssl(address: str, port: int, name: str, ca: Path) -> str:
    """The verdict of `openssl s_client` with host name check."""
    host = f"[{address}]" if ":" in address else address
    command = [
        "openssl", "s_client", "-connect", f"{host}:{port}", "-servername", name, "-verify_hostname", name, "-CAfile", str(ca),
        "-no-CApath", "-no-CAstore", "-purpose", "sslserver",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, input="", timeout=3, check=False)
    except subprocess.TimeoutExpired:
        return "hangs"
    found = re.search(r"Verify return code: (.*)", done.stdout)
    if "no peer certificate available" in done.stdout or found is None:
        reason = re.search(r"(?:error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)|(errno=\d+))", done.stderr + done.stdout)
        return f"no certificate ({reason.group(1) or reason.group(2)})" if reason else "no certificate"
    return found.group(1)


def scan(fleet: DemoFleet, folder: Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Rows (code, status, message) and coverage state by name."""
    server = f"127.0.0.1:{fleet.dns_port}"
    zones = [text for zone in fleet.zone_texts for text in ("--axfr", f"{zone}@{server}")]
    limits = ["--port", str(fleet.tls_port), "--nameserver", server, "--ca-file", "ca.pem", "--timeout", "4", "-q"]
    command = [sys.executable, "-m", "dnscertscan", *zones, *limits, "-o", "r.csv", "--coverage", "c.csv"]
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    rows, states = defaultdict(list), {}
    for row in _read(folder / "r.csv"):
        rows[row["fqdn"]].append(f"{row['status']} {row['code']} {row['message']}")
    for row in _read(folder / "c.csv"):
        states[row["wildcard"] or row["fqdn"]] = f"{row['state']}: {row['reason']} {row['detail']}"
    return rows, states


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name, DemoFleet(datetime.now(UTC)) as fleet:
        folder = Path(name)
        (folder / "ca.pem").write_bytes(fleet.ca_pem)
        rows, states = scan(fleet, folder)
        print("| name | coverage | rows | OpenSSL |\n| --- | --- | --- | --- |")
        for told in fleet.expectations:
            addresses = fleet.addresses.get(told.fqdn, ())
            asked = told.fqdn.replace("*", "probe")
            verdicts = {openssl(address, fleet.tls_port, asked, folder / "ca.pem") for address in addresses}
            short = [re.sub(r" \(serial [0-9A-F]+\)", "", row) for row in rows.get(told.fqdn, ())]
            cells = (told.fqdn, states.get(told.fqdn, ""), "<br>".join(short) or "-", ", ".join(sorted(verdicts)) or "-")
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")


if __name__ == "__main__":
    main()
