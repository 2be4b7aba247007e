"""Output files: whole or not at all, whatever stands in the way."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnscertscan.errors import OutputError
from dnscertscan.report.files import write_atomically

# The body runs in a child that may lose rights or have limits of its own.
CHILD = """
import os, resource, sys
from pathlib import Path
from dnscertscan.errors import OutputError
from dnscertscan.report.files import write_atomically
{setup}
try:
    write_atomically(Path(sys.argv[1]), [b"new\\n"] * {chunks})
except OutputError as problem:
    sys.exit(f"OutputError: {{problem}}")
"""
NOBODY = 65534
"""Root is stopped by no permission: a child of root becomes this user (and group) first."""


def in_child(path: Path, setup: str = "", chunks: int = 1) -> str:
    """Standard error of a child that wrote to ``path``; empty when it succeeded."""
    code = CHILD.format(setup=setup, chunks=chunks)
    return subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=30, check=False).stderr


def give_up_root() -> str:
    return f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})" if os.geteuid() == 0 else ""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_a_new_file_has_what_the_umask_leaves(tmp_path: Path, umask: None) -> None:
    """Content, mode and nothing else in the folder; an empty document is a file too."""
    write_atomically(tmp_path / "new.csv", [b"a", b"", b"b\n"])
    write_atomically(tmp_path / "empty.jsonl", [])
    assert (tmp_path / "new.csv").read_bytes() == b"ab\n"
    assert (tmp_path / "empty.jsonl").read_bytes() == b""
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o640
    assert names(tmp_path) == {"new.csv", "empty.jsonl"}


def test_a_file_that_is_there_keeps_mode_and_owner(tmp_path: Path, umask: None) -> None:
    """Whoever could read the last report can read this one."""
    place = tmp_path / "report.csv"
    place.write_bytes(b"old")
    owner = NOBODY if os.geteuid() == 0 else os.getuid()
    os.chown(place, owner, -1)
    place.chmod(0o604)
    write_atomically(place, [b"new"])
    assert (place.read_bytes(), stat.S_IMODE(place.stat().st_mode), place.stat().st_uid) == (b"new", 0o604, owner)


def test_readers_see_the_old_or_the_new(tmp_path: Path) -> None:
    """While chunks are still coming the old content stands, and a reader that has it open keeps it."""
    place = tmp_path / "report.csv"
    place.write_bytes(b"old")
    seen: list[bytes] = []

    def chunks() -> Iterator[bytes]:
        yield b"new " * 100_000
        seen.append(place.read_bytes())
        yield b"end"

    with place.open("rb") as reader:
        write_atomically(place, chunks())
        assert reader.read() == b"old"
    assert seen == [b"old"]
    assert place.read_bytes().endswith(b"new end")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError, OSError])
def test_what_stops_the_chunks_leaves_everything_as_it_was(tmp_path: Path, stop: type[BaseException]) -> None:
    """Neither an interrupt nor a bug in a renderer leaves half a file or a temporary one."""
    place = tmp_path / "report.csv"
    place.write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"half" * 100_000
        raise stop

    with pytest.raises((stop, OutputError)):
        write_atomically(place, chunks())
    assert place.read_bytes() == b"old"
    assert names(tmp_path) == {"report.csv"}


def test_symbolic_links_stay(tmp_path: Path) -> None:
    """The file behind a link is replaced, in its own folder; a link to nothing makes its target."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "2026.csv").write_bytes(b"old")
    (tmp_path / "latest.csv").symlink_to("real/2026.csv")
    (tmp_path / "next.csv").symlink_to("real/2027.csv")
    write_atomically(tmp_path / "latest.csv", [b"new"])
    write_atomically(tmp_path / "next.csv", [b"next"])
    assert (tmp_path / "latest.csv").is_symlink()
    assert [(tmp_path / "real" / name).read_bytes() for name in ("2026.csv", "2027.csv")] == [b"new", b"next"]
    assert names(tmp_path) == {"real", "latest.csv", "next.csv"}
    assert names(tmp_path / "real") == {"2026.csv", "2027.csv"}


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    """One line each: the path, the cause, the next step."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    for path, cause in (
        (tmp_path / "missing" / "a.csv", "No such file or directory; create its folder first"),
        (tmp_path, "Is a directory; it is a folder; name a file in it"),
        (tmp_path / "file" / "a.csv", "Not a directory; a part of the path is no folder; correct the path"),
        (tmp_path / "loop", "Too many levels of symbolic links; its symbolic links lead in a circle; correct them"),
        (tmp_path / ("n" * 300), "File name too long; choose a shorter name"),
        (tmp_path / "a\0b", "the name has a NUL character; choose another place"),
    ):
        with pytest.raises(OutputError) as caught:
            write_atomically(path, [b"new"])
        shown = str(path).replace("\0", "\\x00")
        assert str(caught.value) == f"cannot write {shown}: {cause}"
    assert names(tmp_path) == {"file", "loop"}


def test_the_path_in_an_error_is_safe_to_print(tmp_path: Path) -> None:
    """A file name can hold escape sequences and line ends."""
    with pytest.raises(OutputError, match=r"cannot write .*\\x1b\[2J\\x0a\.csv: "):
        write_atomically(tmp_path / "missing" / "\x1b[2J\n.csv", [b""])


def test_a_folder_without_write_permission(tmp_path: Path) -> None:
    """A read-only folder is one clear line, for root's children too; the old file is untouched."""
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "report.csv").write_bytes(b"old")
    folder.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o055)
    errors = in_child(folder / "report.csv", give_up_root())
    folder.chmod(0o755)
    assert errors == f"OutputError: cannot write {folder}/report.csv: Permission denied; choose a folder you may write to\n"
    assert names(folder) == {"report.csv"}
    assert (folder / "report.csv").read_bytes() == b"old"


def test_no_room_for_the_file(tmp_path: Path) -> None:
    """When the file cannot grow (here a limit, else a full disk) the old content stands and the temporary file is gone."""
    place = tmp_path / "report.csv"
    place.write_bytes(b"old")
    errors = in_child(place, "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))", chunks=200_000)
    assert errors == f"OutputError: cannot write {place}: File too large; raise the file size limit or choose another place\n"
    assert names(tmp_path) == {"report.csv"}
    assert place.read_bytes() == b"old"


def test_a_full_device() -> None:
    """A device is written straight; that it is full is said like any other failure."""
    with pytest.raises(OutputError) as caught:
        write_atomically(Path("/dev/full"), [b"new"])
    assert str(caught.value) == "cannot write /dev/full: No space left on device; free some space or choose another place"
    assert Path("/dev/full").is_char_device()


def test_a_pipe_is_written_straight(tmp_path: Path) -> None:
    """A named pipe stays a pipe and its reader gets everything."""
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, [b"a", b"b"])
    reader.join(10)
    assert got == [b"ab"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_standard_output(name: str) -> None:
    """Both names of standard output work when it is a pipe."""
    code = CHILD.format(setup="print('before', flush=True)", chunks=2)
    run = subprocess.run([sys.executable, "-c", code, name], capture_output=True, timeout=30, check=False)
    assert (run.stdout, run.stderr) == (b"before\nnew\nnew\n", b"")


def test_standard_output_sent_to_a_file(tmp_path: Path) -> None:
    """With ``> file``, /dev/stdout adds to what was printed before instead of replacing the file under the shell's hands."""
    code = CHILD.format(setup="print('before')", chunks=2) + "print('after')"
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", code, "/dev/stdout"], stdout=out, timeout=30, check=True)
    assert (tmp_path / "out").read_bytes() == b"before\nnew\nnew\nafter\n"


def test_a_reader_that_goes_away() -> None:
    """``| head`` ends the output with one line, not a traceback."""
    code = CHILD.format(setup="", chunks=1_000_000)
    with subprocess.Popen([sys.executable, "-c", code, "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == b"new\n"
        child.stdout.close()
        errors = child.stderr.read().decode()
    assert errors.splitlines()[0].startswith("OutputError: cannot write -: Broken pipe; the reader went away before")
