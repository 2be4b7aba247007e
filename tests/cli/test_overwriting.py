"""No output takes the place of what a run reads or writes besides, whatever the names are."""

import os
from pathlib import Path

import pytest

from dnscertscan.cli.overwriting import refuse_overwriting
from dnscertscan.errors import UsageError
from dnscertscan.settings.load import load


def refuse(place: Path, monkeypatch: pytest.MonkeyPatch, **options: object) -> str:
    """What is said to these settings; empty: they are taken. ``zones.json``, ``ca.pem`` and the configuration are there."""
    monkeypatch.chdir(place)
    for name in ("zones.json", "ca.pem", "dnscertscan.toml"):
        (place / name).touch()
    given = {name.replace("_", "."): value for name, value in options.items()}
    settings = {"zones": [{"kind": "json", "path": Path("zones.json")}], "trust.ca_files": (Path("ca.pem"),), **given}
    try:
        refuse_overwriting(load(None, settings, {}, None))
    except UsageError as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize(("path", "what"), [
    ("zones.json", "a zones JSON"), ("sub/../zones.json", "a zones JSON of this run (as zones.json)"),
    ("soft.json", "a zones JSON of this run (as zones.json)"), ("hard.json", "a zones JSON of this run (as zones.json)"),
    ("ca.pem", "a file of trust anchors"), ("dnscertscan.toml", "the configuration"),
])
def test_what_is_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, what: str) -> None:
    """The file, a way round to it, and links of both kinds; each of the ways to name an output."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "zones.json").touch()
    (tmp_path / "soft.json").symlink_to("zones.json")
    os.link(tmp_path / "zones.json", tmp_path / "hard.json")
    for option in ("output_coverage", "log_file"):
        said = refuse(tmp_path, monkeypatch, **{option: Path(path)})
        assert said.startswith(f"{path}: is {what}")
        assert said.endswith(" and would be lost; name another output")
    assert refuse(tmp_path, monkeypatch, output_files=(Path("a.csv"), Path(path))).startswith(f"{path}: is {what}")


def test_nothing_is_written_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two outputs under one name or two, also when the file is still to be made; the message has both names."""
    (tmp_path / "sub").mkdir()
    files = (Path("a.json"), Path("sub/../a.json"))
    assert refuse(tmp_path, monkeypatch, output_files=files) == (
        "sub/../a.json: two outputs of one run cannot be the same file (the other is named a.json); name another"
    )
    assert "cannot be the same file; name" in refuse(tmp_path, monkeypatch, output_files=(Path("a.csv"), Path("a.csv")))
    assert "the same file" in refuse(tmp_path, monkeypatch, output_files=(Path("a.csv"),), output_coverage=tmp_path / "a.csv")
    for other in ("log_file", "journal_path"):
        assert "the same file" in refuse(tmp_path, monkeypatch, output_files=(Path("a.json"),), **{other: Path("a.json")})


def test_what_is_no_file_may_be_named_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output, /dev/null; a link to itself is left to whoever opens it."""
    (tmp_path / "circle.csv").symlink_to("circle.csv")
    for path in ("-", "/dev/null", "circle.csv", "nul\0.csv"):
        assert refuse(tmp_path, monkeypatch, output_files=(Path(path), Path(path))) == ""
    assert refuse(tmp_path, monkeypatch, output_files=(Path("a.csv"), Path("a.html")), output_coverage=Path("c.csv")) == ""


def test_what_standard_output_goes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``> both.txt 2>&1``: a file that the shell has opened is written on by all, and replaced by none."""
    with (tmp_path / "both.txt").open("w") as both, monkeypatch.context() as patched:
        patched.setattr("sys.stdout", both)
        before = os.dup(1), os.dup(2)
        os.dup2(both.fileno(), 1)
        os.dup2(both.fileno(), 2)
        try:
            said = refuse(tmp_path, monkeypatch, output_coverage=Path("/dev/stdout"), log_file=Path("/dev/stderr"))
        finally:
            for number, descriptor in enumerate(before, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
    assert said == ""
