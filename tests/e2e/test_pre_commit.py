"""The hooks in a real pre-commit: good files pass, bad ones are told line by line, and nothing leaves the machine.

The manifest is that of the project but for its language: ``python`` would have pre-commit install the project and all it needs
into an environment of its own, which takes longer than all these tests; ``system`` runs what is installed here.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from servers.command import Done, clean_environment
from servers.loopback_only import Guard
from servers.readme import ROOT, address, document, example

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
_NOBODY = {f"GIT_{who}_{what}": "a@a.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_BAD = [
    {"type": "A", "name": "good", "target": "192.0.2.1"},
    {"type": "A", "name": "bad", "target": "192.0.2.300"},
    {"type": "A", "name": 5, "target": "192.0.2.1"},
]


class Repository:
    """A repository that uses the hooks as the README says."""

    def __init__(self, folder: Path) -> None:
        self._guard = Guard(folder)
        self.folder = folder / "site"
        hooks = folder / "hooks"
        self._environment = clean_environment(folder) | self._guard.environment | _NOBODY | {
            "PRE_COMMIT_HOME": str(folder / "cache"), "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
        }
        self._environment["PATH"] = f"{Path(sys.executable).parent}:{self._environment['PATH']}"
        for made in (hooks, self.folder):
            made.mkdir()
            self.git("init", "-q", at=made)
        (hooks / MANIFEST.name).write_text(MANIFEST.read_text().replace("language: python", "language: system"))
        self.git("add", ".", at=hooks)
        self.git("commit", "-q", "-m", "hooks", at=hooks)
        self.write(".pre-commit-config.yaml", example("pre-commit").replace(address(), str(hooks)))
        updated = self.pre_commit("autoupdate", "--bleeding-edge")
        assert updated.status == 0, updated
        self.git("add", ".")

    def write(self, name: str, text: str) -> None:
        """Write a file and stage it."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)
        self.git("add", name)

    def git(self, *words: str, at: Path | None = None) -> Done:
        """Run git."""
        return self._run(["git", *words], at or self.folder)

    def pre_commit(self, *words: str) -> Done:
        """Run pre-commit."""
        return self._run([sys.executable, "-m", "pre_commit", *words], self.folder)

    def _run(self, command: list[str], folder: Path) -> Done:
        done = subprocess.run(
            command, cwd=folder, env=self._environment, capture_output=True, text=True, timeout=60, check=False,
        )
        assert self._guard.attempts == []
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def matching(*names: str) -> Callable[[str], set[str]]:
    """The names that a hook is given."""
    hooks = {hook["id"]: re.compile(hook["files"]) for hook in document(MANIFEST.read_text())}
    return lambda hook: {name for name in names if hooks[hook].search(name)}


def test_the_manifest_is_valid(repository: Repository) -> None:
    """By pre-commit itself; the hooks are those that the README names, and it installs them from the README's address."""
    assert repository.pre_commit("validate-manifest", str(MANIFEST)).status == 0
    (used,) = document(example("pre-commit"))["repos"]
    assert used["repo"] == address()
    manifest = document(MANIFEST.read_text())
    assert [hook["id"] for hook in used["hooks"]] == [hook["id"] for hook in manifest]
    assert {hook["language"] for hook in manifest} == {"python"}


def test_good_files_pass(repository: Repository) -> None:
    """The project's own examples, many in one call; what has another name is not looked at."""
    repository.write("dnscertscan.toml", (ROOT / "config" / "dnscertscan.example.toml").read_text())
    transfer = '[[zones]]\nkind = "axfr"\nzone = "a.example"\nservers = ["192.0.2.53"]\n'
    repository.write("internal/dnscertscan/config.toml", transfer)
    samples = sorted((ROOT / "sample-zones").glob("*.json"))
    (repository.folder / "zones").mkdir()
    for sample in samples:
        shutil.copy(sample, repository.folder / "zones")
    repository.git("add", ".")
    repository.write("package.json", "{}")
    repository.write("pyproject.toml", "[project]\n")
    done = repository.pre_commit("run", "--all-files", "--verbose")
    assert done.status == 0, done
    told = re.findall(r"^(\S+): ok", done.out, re.MULTILINE)
    assert len(samples) > 3
    assert sorted(told) == ["dnscertscan.toml", "internal/dnscertscan/config.toml", *(f"zones/{one.name}" for one in samples)]


def test_bad_files_fail(repository: Repository) -> None:
    """Each bad key, file and record is a line with its file, and none hides another."""
    repository.write("dnscertscan.toml", "[scan]\nprots = [443]\n")
    repository.write("dnscertscan-lab.toml", "[scan\n")
    repository.write("dnscertscan-good.toml", "[scan]\nports = [8443]\n")
    repository.write("zones.json", json.dumps({"a.example": _BAD, "b.example": 5}))
    repository.write("zones/broken.json", '{"a.example": [\n{"type": "A",\n]}')
    repository.write("zones/good.json", json.dumps({"a.example": _BAD[:1]}))
    done = repository.pre_commit("run", "--all-files")
    assert done.status == 1
    assert len(re.findall(r"^- exit code: 2$", done.out, re.MULTILINE)) == 2
    lines = [line.removeprefix("dnscertscan: ") for line in done.out.splitlines() if line.startswith("dnscertscan: ")]
    starts = (
        "dnscertscan-lab.toml: not valid TOML: ",
        "dnscertscan.toml:2: scan.prots: unknown key; did you mean 'ports'?",
        "zones.json: zone a.example, record 2: target '192.0.2.300' is not an IPv4 address",
        'zones.json: zone a.example, record 3: "name" is a number, not a string',
        "zones.json: zone b.example: its value is a number, not a list of records; ",
        "zones/broken.json: line 3, column 1: not valid JSON: ",
    )
    for line, start in zip(sorted(lines), starts, strict=True):
        assert line.startswith(start)


def test_a_bad_zones_file_is_not_committed(repository: Repository) -> None:
    """With the hook in place git refuses the commit, and takes it once the record is mended."""
    assert repository.pre_commit("install").status == 0
    repository.write("zones.json", json.dumps({"a.example": _BAD[:2]}))
    refused = repository.git("commit", "-q", "-m", "zones")
    assert refused.status == 1
    assert "zones.json: zone a.example, record 2: " in refused.err
    repository.write("zones.json", json.dumps({"a.example": _BAD[:1]}))
    taken = repository.git("commit", "-q", "-m", "zones")
    assert taken.status == 0, taken


def test_which_files_are_meant() -> None:
    """The names that the README speaks of, and no others that only look alike."""
    meant = matching("dnscertscan.toml", "dnscertscan-lab.toml", "config/dnscertscan.example.toml", "etc/dnscertscan/config.toml")
    assert len(meant("dnscertscan-config")) == 4
    assert meant("dnscertscan-zones") == set()
    zones = matching(
        "zones.json", "internal-zones.json", "dns/zones-2026.json", "zones/a.json", "sample-zones/a/b.json", "my.zones.json",
    )
    assert len(zones("dnscertscan-zones")) == 6
    assert zones("dnscertscan-config") == set()
    others = matching(
        "pyproject.toml", "mydnscertscan.toml", "dnscertscan/other.toml", "timezones.json", "zones.txt", "zonesjson",
        "azones/a.json", "zones", "package.json", "zonesfile.json",
    )
    assert others("dnscertscan-config") == others("dnscertscan-zones") == set()
