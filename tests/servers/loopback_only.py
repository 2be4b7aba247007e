"""Commands under test that are held to loopback: what tries to leave it fails, and is written down.

    guard = Guard(tmp_path)
    subprocess.run(command, env={**environment, **guard.environment})
    guard.attempts              # empty: nothing has tried to

Only what goes through Python's sockets is seen, which is all but libpq.
"""

from pathlib import Path

# Python calls this in each process of the command, before anything else. Names are for the program's own resolver: to ask the
# system's is to go outside, too.
_GUARD = """
import ipaddress, os, sys

def _is_inside(host):
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in ("", "localhost")

def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        place = arguments[1]
        host = place[0] if isinstance(place, tuple) else "localhost"
    elif event == "socket.getaddrinfo":
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0] or ""
    else:
        return
    if not _is_inside(host):
        with open(os.environ["OUTSIDE"], "a") as record:
            print(event, arguments, file=record)
        raise PermissionError(f"outside: {host}")

sys.addaudithook(_watch)
"""


class Guard:
    """``folder`` is where it keeps its files."""

    def __init__(self, folder: Path) -> None:
        self._code, self._record = folder / "guard", folder / "outside.txt"
        self._code.mkdir()
        (self._code / "sitecustomize.py").write_text(_GUARD)

    @property
    def environment(self) -> dict[str, str]:
        """For the command; its workers have it of it."""
        return {"PYTHONPATH": str(self._code), "OUTSIDE": str(self._record)}

    @property
    def attempts(self) -> list[str]:
        """What was tried, a line each."""
        return self._record.read_text().splitlines() if self._record.exists() else []

    def forget(self) -> None:
        """What was tried so far was meant to be."""
        self._record.unlink(missing_ok=True)
