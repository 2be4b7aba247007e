"""Signals: the first ends a run in order and is seen at once, whatever the run is doing; the second kills."""

import signal
import subprocess
import sys

import pytest

_BUSY = """
import time
from dnscertscan.cli.session import drive

async def work(stop):
    print("busy", flush=True)
    end = time.monotonic() + 20
    while time.monotonic() < end and stop.reason is None:  # the event loop gets no turn
        pass
    print(stop.reason, flush=True)
    while time.monotonic() < end:
        pass
    print("too late", flush=True)

drive(work)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_work_that_holds_up_the_loop(how: signal.Signals) -> None:
    """The stop is recorded though nothing awaits, and a second signal ends the process there and then."""
    code = [sys.executable, "-c", _BUSY]
    with subprocess.Popen(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "busy\n"
        process.send_signal(how)
        assert process.stdout.readline() == f"interrupted ({how.name})\n"
        process.send_signal(how)
        rest, _ = process.communicate(timeout=15)
    assert rest == ""
    assert process.returncode == -how


_WAITING = """
import asyncio
from dnscertscan.cli.session import drive

async def work(stop):
    print("waiting", flush=True)
    print(await stop.unless(asyncio.sleep(20, "too late")), stop.reason)

drive(work)
"""


def test_a_loop_that_waits_is_woken() -> None:
    """A signal while nothing happens is seen at once, too."""
    with subprocess.Popen([sys.executable, "-c", _WAITING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=15)
    assert (rest, process.returncode) == ("None interrupted (SIGINT)\n", 0)
