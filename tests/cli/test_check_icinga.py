"""The sample objects for Icinga 2: Icinga takes them, hosts get their services, the arguments are options of `check`."""

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from servers.dns_process import unprivileged

from dnscertscan.cli.check import command

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "config" / "icinga" / "dnscertscan.conf"
HOSTS = """
object Host "plain.example.com" { check_command = "dummy" }
object Host "www.example.com" { check_command = "dummy"; address = "192.0.2.10"; vars.https_certificate = true }
object Host "mail.example.com" {
  check_command = "dummy"
  address = "192.0.2.25"
  vars.tls["submission"] = {
    dnscertscan_port = 587, dnscertscan_starttls = "smtp", dnscertscan_warning = "25%:", dnscertscan_critical = "5:"
  }
  vars.tls["admin"] = { dnscertscan_port = 8443, dnscertscan_ca_file = [ "a.pem", "b.pem" ] }
  vars.tls["mail"] = { dnscertscan_starttls = "smtp" }
  vars.tls["ipv6"] = { dnscertscan_host = "2001:db8::1", dnscertscan_port = "8443" }
}
"""
_PLACES = ("ConfigDir", "DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that Icinga can write to without privileges."""
    with tempfile.TemporaryDirectory(prefix="icinga-") as name:
        yield Path(name)


def call(folder: Path, *arguments: str) -> dict[str, Any]:
    """Arguments of :mod:`subprocess` for an Icinga that keeps all of its files in ``folder``."""
    defines = [f"--define={place}={folder}" for place in _PLACES]
    user = {"ICINGA2_USER": "nobody", "ICINGA2_GROUP": "nogroup"} if os.geteuid() == 0 else {}
    return {"args": unprivileged(["icinga2", *arguments, *defines], folder), "env": {**os.environ, **user}}


def icinga(folder: Path, *arguments: str) -> str:
    """What Icinga says."""
    done = subprocess.run(**call(folder, *arguments), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_icinga_takes_them(folder: Path) -> None:
    """A command, and exactly the services that the hosts ask for."""
    main = folder / "icinga2.conf"
    sample = SAMPLE.read_text()
    main.write_text(f'include <itl>\nconst NodeName = "test"\nconst PluginDir = "/"\n{sample}\n{HOSTS}')
    dump = ["--dump-objects"] * ("--dump-objects" in icinga(folder, "daemon", "--help"))  # Icinga 2.14 only does it when told to
    said = icinga(folder, "daemon", "--validate", *dump, "--config", str(main))
    assert "warning" not in said.replace("0 warnings", "")
    listed = icinga(folder, "object", "list", "--type", "Service")
    names = set(re.findall(r"Object '([^']+)' of type 'Service'", listed))
    wanted = {f"mail.example.com!tls-{which}" for which in ("submission", "admin", "mail", "ipv6")}
    assert names == {"www.example.com!https-certificate", *wanted}
    assert re.search(r'dnscertscan_starttls = "smtp"', listed)


def test_what_icinga_calls(folder: Path) -> None:
    """A port only where one is set, so that STARTTLS brings its own; an IPv6 address in brackets where a port follows."""
    told, program, main = folder / "told", folder / "program", folder / "icinga2.conf"
    program.write_text(f'#!/bin/sh\necho "$@" >> {told}\necho "CERT OK - fine"\n')
    told.touch()
    for place, mode in ((program, 0o755), (told, 0o666), (folder, 0o755)):
        place.chmod(mode)
    sample = SAMPLE.read_text().replace("/usr/local/bin/dnscertscan", str(program)).replace("interval = 1h", "interval = 1s")
    checker = 'library "checker"\nobject CheckerComponent "checker" { }'
    main.write_text(f'include <itl>\nconst NodeName = "test"\nconst PluginDir = "/"\n{sample}\n{HOSTS}\n{checker}')
    calls: set[str] = set()
    daemon = call(folder, "daemon", "--config", str(main))
    with subprocess.Popen(**daemon, stdout=subprocess.DEVNULL, start_new_session=True) as run:
        try:
            until = time.monotonic() + 60
            while len(calls) < 5 and run.poll() is None and time.monotonic() < until:
                time.sleep(0.1)
                calls = set(told.read_text().splitlines())
        finally:
            os.killpg(run.pid, signal.SIGKILL)
    assert sorted(calls) == [
        "check --ca-file a.pem --ca-file b.pem --timeout 30 mail.example.com:8443",
        "check --critical 5: --starttls smtp --timeout 30 --warning 25%: mail.example.com:587",
        "check --starttls smtp --timeout 30 mail.example.com",
        "check --timeout 30 [2001:db8::1]:8443",
        "check --timeout 30 www.example.com",
    ]


def test_the_arguments_are_options() -> None:
    """None is missing, none is made up."""
    known = {option for one in command.params if isinstance(one, click.Option) for option in one.opts if option != "--help"}
    known -= {"-w", "-c", "-t"}
    assert set(re.findall(r'^    "(-[^"]+)" = \{$', SAMPLE.read_text(), re.MULTILINE)) == known


def test_the_plugin_ends_before_icinga_kills_it() -> None:
    """Its own limit is shorter than that of the command."""
    text = SAMPLE.read_text()
    own = re.search(r"vars.dnscertscan_timeout = (\d+)", text)
    theirs = re.search(r"^  timeout = (\d+)s$", text, re.MULTILINE)
    assert own
    assert theirs
    assert int(own[1]) + 10 <= int(theirs[1])
