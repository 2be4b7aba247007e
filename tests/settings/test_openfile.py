"""Every file that a user can name is opened by something that a FIFO cannot hold."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dnscertscan.assembly import read_pem_file
from dnscertscan.ct.inventory_review import learn, read_reviewed
from dnscertscan.ct.loglist import read_file
from dnscertscan.errors import DnsCertScanError
from dnscertscan.settings.load import load
from dnscertscan.settings.openfile import open_file
from dnscertscan.settings.values import read_secret

NOW = datetime(2026, 11, 20, tzinfo=UTC)
READERS: dict[str, Callable[[Path], object]] = {
    "certificates": lambda path: read_pem_file(path, "chain"),
    "list of logs": lambda path: read_file(path, 100, "list of CT logs"),
    "reviewed": lambda path: read_reviewed(path, pytest.fail),
    "learnt": lambda path: learn(path, [], NOW, NOW),
    "configuration": lambda path: load(path, {}, {}, None),
    "secret": lambda path: read_secret(f"file:{path}", "test", {}),
}


@pytest.mark.parametrize("name", READERS)
def test_a_fifo_holds_nobody(tmp_path: Path, name: str) -> None:
    """An error at once that says what it is, whatever reads the file."""
    path = tmp_path / "file"
    os.mkfifo(path)
    with pytest.raises(DnsCertScanError, match="is a FIFO, not a file"):
        READERS[name](path)


def test_what_else_is_no_file(tmp_path: Path) -> None:
    """A folder and a device are refused, nothing is read of them; /dev/null is an empty file, and a file is a file."""
    for path in (tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match=r"directory|is a device, not a file"):
            open_file(path)
    with open_file(Path("/dev/null")) as handle:
        assert handle.read() == b""
    (tmp_path / "good").write_bytes(b"good")
    with open_file(tmp_path / "good") as handle:
        assert handle.read() == b"good"
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(OSError, match="device"):
            open_file(Path("/dev/zero"))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_pipe_that_was_handed_over() -> None:
    """What a shell's <(...) names is read to its end, also when its writer is slow."""
    reading, writing = os.pipe()
    timer = threading.Timer(0.2, lambda: (os.write(writing, b"good"), os.close(writing)))
    timer.start()
    with open_file(Path(f"/dev/fd/{reading}")) as handle:
        os.close(reading)
        assert handle.read(100) == b"good"
    timer.join()
