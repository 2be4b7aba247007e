"""Who has a journal: one process at a time, from before the journal is made until after it is removed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dnscertscan.store.database import InUseError
from dnscertscan.store.lock import Lock

_HOLDER = """
import sys
from pathlib import Path
from dnscertscan.store.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_only_one_has_it(tmp_path: Path) -> None:
    """Also where the journal does not exist yet; when it is let go of, nothing is left and the next one gets it."""
    first = Lock(tmp_path / "j")
    with pytest.raises(InUseError, match="j: another run is using this journal; wait for its end"):
        Lock(tmp_path / "j")
    Lock(tmp_path / "other").release()
    first.release()
    first.release()
    assert list(tmp_path.iterdir()) == []
    Lock(tmp_path / "j").release()


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    """Its file stays, and is in nobody's way."""
    code = [sys.executable, "-c", _HOLDER, str(tmp_path / "j")]
    with subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InUseError):
            Lock(tmp_path / "j")
        os.kill(process.pid, signal.SIGKILL)
    assert [path.name for path in tmp_path.iterdir()] == ["j-lock"]
    Lock(tmp_path / "j").release()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_taken_away(tmp_path: Path) -> None:
    """Whoever removes the file by hand breaks the lock, and it is not removed a second time under its next owner."""
    first = Lock(tmp_path / "j")
    (tmp_path / "j-lock").unlink()
    second = Lock(tmp_path / "j")
    first.release()
    with pytest.raises(InUseError):
        Lock(tmp_path / "j")
    second.release()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """What another user of the folder has put there does not make us open a file of his choice."""
    (tmp_path / "j-lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        Lock(tmp_path / "j")
    assert not (tmp_path / "elsewhere").exists()
