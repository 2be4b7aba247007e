"""Standard streams that fail: a reader that goes away, a full disk, closed descriptors, a user without a home."""

import subprocess
from pathlib import Path

import pytest
from servers.command import COMMAND, clean_environment, closed_port


@pytest.fixture
def scan(zones_file) -> list[str]:
    """A quick scan whose result is clean: one closed port."""
    zones_file({"a.example": [("A", f"n{number}", "127.0.0.1") for number in range(50)]}, "z.json")
    return ["--from-zones-json", "z.json", "--port", str(closed_port()), "-o", "r.csv", "--coverage", "c.csv"]


def run(folder: Path, args: list[str], shell: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """The command within a line of shell, where ``"$@"`` stands for it."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell, "bash", *COMMAND, *args], cwd=folder, env={**clean_environment(folder), **env},
        capture_output=True, text=True, timeout=60, check=False,
    )


@pytest.mark.parametrize("style", ["table", "csv", "json", "jsonl"])
def test_reader_that_goes_away(scan: list[str], tmp_path: Path, style: str) -> None:
    """The scan goes on and its files are written; status 3, never 1, which would mean findings."""
    done = run(tmp_path, [*scan, "-f", style], '"$@" | true')
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert (tmp_path / "c.csv").read_text().count(",failed,refused,") == 50
    assert (tmp_path / "r.csv").exists()


def test_reader_of_other_commands(tmp_path: Path) -> None:
    """A list that is cut by `head` is no finding."""
    done = run(tmp_path, ["rules", "-f", "json"], '"$@" | head -c 10')
    assert done.returncode in (0, 3)
    assert done.stderr == ""


@pytest.mark.parametrize("style", ["table", "jsonl"])
def test_full_disk_behind_standard_output(scan: list[str], tmp_path: Path, style: str) -> None:
    """One clear line; the files are written."""
    done = run(tmp_path, [*scan, "-f", style], '"$@" > /dev/full')
    assert done.returncode == 3
    assert done.stderr.count("No space left on device") == 1
    assert "Traceback" not in done.stderr
    assert (tmp_path / "c.csv").read_text().count(",failed,refused,") == 50


def test_full_disk_behind_other_commands(tmp_path: Path) -> None:
    """The same for what prints only."""
    done = run(tmp_path, ["rules"], '"$@" > /dev/full')
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_closed_streams(scan: list[str], tmp_path: Path, closed: str) -> None:
    """A stream the caller closed is not wanted; the scan and its files are."""
    assert run(tmp_path, scan, f'"$@" {closed}').returncode == 0
    assert (tmp_path / "c.csv").read_text().count(",failed,refused,") == 50


def test_full_disk_behind_the_log(scan: list[str], tmp_path: Path) -> None:
    """The log is lost, which is said once; the scan is not."""
    done = run(tmp_path, [*scan, "-v", "--log-file", "/dev/full"], '"$@"')
    assert done.returncode == 3
    assert done.stderr.count("the log cannot be written") == 1
    assert "Traceback" not in done.stderr
    assert (tmp_path / "c.csv").read_text().count(",failed,refused,") == 50


@pytest.mark.parametrize("home", ["/proc/1/root/nobody", ""])
def test_home_that_cannot_be_entered(scan: list[str], tmp_path: Path, home: str) -> None:
    """No configuration can be there; that is no error."""
    assert run(tmp_path, scan, '"$@"', HOME=home, XDG_CONFIG_HOME="").returncode == 0


def test_configuration_folder_of_somebody_else(scan: list[str], tmp_path: Path) -> None:
    """A folder this user may not enter has no configuration of his (seen with `su`, which keeps HOME)."""
    closed = tmp_path / "config" / "dnscertscan"
    closed.mkdir(parents=True)
    closed.chmod(0)
    try:
        assert run(tmp_path, scan, '"$@"').returncode == 0
    finally:
        closed.chmod(0o700)


def test_help_keeps_its_lines() -> None:
    """Examples stand on lines of their own."""
    command = [*COMMAND, "scan", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=clean_environment(Path("/")))
    assert "\\b" not in done.stdout
    assert any(line.strip().startswith("dnscertscan --from-zones-json") for line in done.stdout.splitlines())
