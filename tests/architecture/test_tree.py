"""The tree keeps its promises: short files, documented modules, a quick start, an honest README."""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from dnscertscan.cli.root import COMMANDS, root
from dnscertscan.cli.scan import command as scan
from dnscertscan.errors import ExitStatus, worst

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("dnscertscan", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_documented(path: Path) -> None:
    """No file over 300 lines; every module says in its first line what it is for."""
    lines = path.read_text().splitlines()
    assert len(lines) <= 300
    assert lines[0].startswith(('"""', 'r"""', "#!"))


def test_nothing_lies_about_at_the_top() -> None:
    """Only the prescribed files and folders are in the repository's top folder."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True).stdout
    tops = {line.split("/")[0] for line in listed.splitlines()}
    files = {"pyproject.toml", "README.md", "LICENSE", "Makefile", "CHANGELOG.md"}
    folders = {"dnscertscan", "config", "tests", "sample-zones", "benchmarks"}
    assert {top for top in tops if not top.startswith(".")} == files | folders


def test_version_is_quick() -> None:
    """`--version` starts in under 0.3 s: the best of five, since the machine may be busy."""
    times = []
    for _ in range(5):
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "dnscertscan", "--version"], capture_output=True, text=True, check=True)
        times.append(time.monotonic() - start)
    assert re.fullmatch(r"dnscertscan \d+\.\d+\.\d+\n", done.stdout)
    assert min(times) < 0.3


def test_version_imports_nothing_heavy() -> None:
    """Neither SSLyze nor cryptography, dnspython, pydantic or rich is imported to print the version or the help."""
    code = (
        "import sys\nfrom dnscertscan.cli.root import root\n"
        "root.main(['--help'], standalone_mode=False)\n"
        "print(sorted({'sslyze', 'nassl', 'cryptography', 'dns', 'pydantic', 'rich', 'OpenSSL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_cast_offs() -> None:
    """Every exemption from a check carries its reason on its line; nothing is skipped or expected to fail."""
    pattern = re.compile(r"(noqa: ?[A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*|type: ignore\[[a-z-]+\])(?P<reason>.*)")
    for path in SOURCES:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if path == Path(__file__):
                continue
            found = pattern.search(line)
            assert found is None or len(found["reason"].strip(" #-")) > 10, f"{path}:{number}: exemption without a reason"
            if path.name != "ct_data.py":  # real data of others, which lies beside the project or not at all: it says so
                assert not re.search(r"pytest\.(mark\.)?(skip|xfail|importorskip)|except:", line), f"{path}:{number}"


def readme_commands() -> list[str]:
    """Every dnscertscan command line in the README."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ dnscertscan")]


@pytest.mark.parametrize("line", readme_commands())
def test_readme_commands_parse(line: str) -> None:
    """Each command of the README is understood by the command line as it is today."""
    args = shlex.split(line)[1:]
    command: click.Command = root
    context = root.make_context("dnscertscan", args)
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command, context = found, found.make_context(name, rest, parent=context)


def test_readme_names_every_option_of_the_scan() -> None:
    """The README's table and `scan --help` name the same options."""
    known = {option for parameter in scan.params if isinstance(parameter, click.Option) for option in parameter.opts}
    table = README.split("## Options of the scan")[1].split("\n## ")[0]
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", table)) - {"--config", *known} == set()
    assert {option for option in known if option.startswith("--")} <= set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", table))


def test_readme_names_every_command() -> None:
    """No command is a secret."""
    for command in COMMANDS:
        assert command == "scan" or f"dnscertscan {command}" in README or f"make {command}" in README


def test_readme_paths_exist() -> None:
    """What the README names in the tree is there."""
    for name in re.findall(r"`(dnscertscan/[a-z]+)`", README) + re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / name).exists(), name


def test_exit_statuses_of_the_readme() -> None:
    """The README's table of exit statuses is the one in the code."""
    assert set(map(int, re.findall(r"^\| (\d) \|", README, re.MULTILINE))) == {int(status) for status in ExitStatus}
    assert worst(*ExitStatus) is ExitStatus.BUG
    assert worst(ExitStatus.USAGE, ExitStatus.INCOMPLETE, ExitStatus.FINDINGS) is ExitStatus.USAGE
    assert worst(ExitStatus.INCOMPLETE, ExitStatus.FINDINGS) is ExitStatus.INCOMPLETE
    assert worst() is ExitStatus.CLEAN
