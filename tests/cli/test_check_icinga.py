"""The sample objects for Icinga 2: Icinga takes them, hosts get their services, the arguments are options of `check`."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

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
}
"""
_PLACES = ("ConfigDir", "DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that Icinga can write to without privileges."""
    with tempfile.TemporaryDirectory(prefix="icinga-") as name:
        yield Path(name)


def icinga(folder: Path, *arguments: str) -> str:
    """What Icinga says; it keeps all of its files in ``folder``."""
    defines = [f"--define={place}={folder}" for place in _PLACES]
    user = {"ICINGA2_USER": "nobody", "ICINGA2_GROUP": "nogroup"} if os.geteuid() == 0 else {}
    done = subprocess.run(
        unprivileged(["icinga2", *arguments, *defines], folder), capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **user},
    )
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
    assert names == {"mail.example.com!tls-submission", "mail.example.com!tls-admin", "www.example.com!https-certificate"}
    assert re.search(r'dnscertscan_starttls = "smtp"', listed)


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
