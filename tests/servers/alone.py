"""Python in a network of its own: nothing but loopback, no route, and whatever names and routes the test gives it."""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_BIND = 'mount --bind "$0/{name}" /etc/{name}; '


def alone(folder: Path, script: str, *, routes: str = "", nameserver: str = "") -> list[str]:
    """The lines that ``script`` prints, run in ``folder``. ``routes`` are commands of a shell, ``nameserver`` is the only one.

    In user, network and mount namespaces of their own: no privileges are needed, and nothing of the machine is changed.
    """
    prepare = f"ip link set lo up; {routes or 'true'}; "
    if nameserver:
        (folder / "resolv.conf").write_text(f"nameserver {nameserver}\noptions timeout:1 attempts:1\n")
        (folder / "nsswitch.conf").write_text("hosts: files dns\n")
        prepare += "".join(_BIND.format(name=name) for name in ("resolv.conf", "nsswitch.conf"))
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-ec", prepare + 'exec "$@"', str(folder)]
    done = subprocess.run(
        [*command, sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": f"{_ROOT}:{_ROOT / 'tests'}", "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
