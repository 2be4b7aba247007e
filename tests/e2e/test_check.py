"""`dnscertscan check` as monitoring calls it, and servers that let nobody in without a certificate of the client."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers import hostile, nginx
from servers.checking import read
from servers.command import COMMAND, Done, clean_environment
from servers.nginx import Host
from servers.tls_tools import s_server

from dnscertscan.demo.authority import Authority, pem

NOW = datetime.now(UTC)
NAME = "m.example.test"
CA = Authority.root("Mutual Root", now=NOW)
LEAF = CA.intermediate("Mutual CA").leaf(NAME)
CLIENTS = pem([Authority.root("Clients", now=NOW).certificate])
Cli = Callable[..., Done]


@pytest.mark.parametrize(
    ("server", "status", "codes"),
    [("nginx", 0, []), ("openssl -tls1_2", 1, ["DCS206", "DCS402"]), ("openssl -tls1_3", 1, ["DCS206", "DCS402"])],
)
def test_a_server_that_wants_a_certificate_of_us(
    cli: Cli, zones_file: Callable[..., Path], tmp_path: Path, server: str, status: int, codes: list[str]
) -> None:
    """It refuses us (nginx after the handshake), and still its own certificate is read: by `check`, and by a scan.

    The test's s_server sends it twice, which is a warning.
    """
    (tmp_path / "ca.pem").write_bytes(pem([CA.certificate]))
    (tmp_path / "clients.pem").write_bytes(CLIENTS)
    zones_file({"example.test": [("A", "m", "127.0.0.1")]})
    if server == "nginx":
        running = nginx.serve([Host(NAME, [LEAF], mtls=CLIENTS)])
    else:
        running = s_server(server.split()[1], "-Verify", "3", "-verify_return_error", credential=LEAF)
    with running as port:
        done = cli("check", f"{NAME}:{port}", "--address", "127.0.0.1", "--ca-file", "ca.pem", "--warning", "30:")
        told = read(done.status, done.out, done.err)
        assert (told.status, told.perfdata["certificates"][0], told.perfdata["unreachable"][0]) == (status, 1, 0)
        assert 79 < told.perfdata["days_left"][0] <= 80
        assert told.details_with("server asks for a client certificate" if server == "nginx" else "requires a client certificate")
        late = cli("check", f"{NAME}:{port}", "--address", "127.0.0.1", "--ca-file", "ca.pem", "--critical", "85:")
        assert late.status == 2
        for engine in ("sslyze", "probe"):
            scan = cli("--from-zones-json", "zones.json", "--port", port, "--ca-file", "ca.pem", "--engine", engine, "-f", "json")
            found = json.loads(scan.out)
            assert scan.status == 0
            subjects = {one["subject"] for one in found["certificates"].values()}
            assert f"CN={NAME},O=Example Trust" in subjects
            assert [one["code"] for one in found["findings"]] == codes


def test_a_slip_in_a_table_of_the_rotation(cli: Cli, zones_file: Callable[..., Path], tmp_path: Path) -> None:
    """A zone nobody has is told before the scan, an issuer nobody has after it, each in one line that says what there is."""
    (tmp_path / "ca.pem").write_bytes(pem([CA.certificate]))
    tables = [("zone", "exmaple.test"), ("issuer", "Mutal CA"), ("issuer", "Mutual CA"), ("zone", "test")]
    rotation = 'validity = "90d"\nrotation = "60d"\n'
    (tmp_path / "c.toml").write_text("".join(f'[[checks.rotation]]\n{key} = "{value}"\n{rotation}' for key, value in tables))
    zones_file({"example.test": [("A", "m", "127.0.0.1")]})
    with nginx.serve([Host(NAME, [LEAF])]) as port:
        done = cli("--config", "c.toml", "--from-zones-json", "zones.json", "--port", port, "--ca-file", "ca.pem")
    lines = [line for line in done.err.splitlines() if "[[checks.rotation]]" in line]
    assert done.status == 0
    assert len(lines) == 2
    assert 'with zone = "exmaple.test" is about no zone of this run (example.test)' in lines[0]
    assert 'with issuer = "Mutal CA" matches no certificate; issuers there are: "CN=Mutual CA,O=Example Trust"' in lines[1]


def test_nothing_outlasts_the_time_limit(tmp_path: Path) -> None:
    """What goes on where nobody can cancel it, here its own loading, ends with a line and status 3 all the same."""
    begun = time.monotonic()
    done = subprocess.run(
        [*COMMAND, "check", "127.0.0.1:1", "--timeout", "0.05"], capture_output=True, text=True,
        timeout=60, cwd=tmp_path, check=False, env=clean_environment(tmp_path),
    )
    assert time.monotonic() - begun < 15
    told = read(done.returncode, done.stdout)
    assert (told.status, told.line.startswith("CERT UNKNOWN - not done within 0.05 s (--timeout)")) == (3, True)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_interrupted(tmp_path: Path, how: signal.Signals) -> None:
    """Ends at once with what it knows and a whole first line, and leaves no process behind."""
    with hostile.watched(hostile.silent) as server:
        command = [*COMMAND, "check", f"127.0.0.1:{server.port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_environment(tmp_path)) as process:
            while not server.visits and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(how)
            out, _ = process.communicate(timeout=15)
    told = read(process.returncode, out)
    assert told.status == 3
    assert told.details_with(f"interrupted ({how.name})")
