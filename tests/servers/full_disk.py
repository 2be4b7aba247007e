"""A process whose files cannot grow: what a full disk is to it."""

import subprocess
import sys
from pathlib import Path

_SMALL = """
import resource, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store.test_journal import HEADER, observed
from dnscertscan.store.journal import Journal
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
"""


def on_a_full_disk(code: str, limit: int = 1_000_000) -> list[str]:
    """What a process prints whose files cannot grow beyond a limit."""
    code = _SMALL.format(tests=str(Path(__file__).parents[1]), limit=limit) + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
