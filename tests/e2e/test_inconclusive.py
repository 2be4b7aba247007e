"""When nobody answers at all, the run says that it cannot be believed; a server known to work settles it."""

import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest
from servers.command import COMMAND, Done, clean_environment, closed_port
from servers.https import HttpsServers

Cli = Callable[..., Done]
LINE = "INCOMPLETE: inconclusive: not one of 5 addresses gave any answer; the fault is probably on our side"


@pytest.fixture
def port(zones_file) -> Iterator[int]:
    """A zone of five addresses that accept connections (in the kernel) and never say a word; their port."""
    with ExitStack() as stack:
        first = stack.enter_context(socket.create_server(("127.0.7.1", 0)))
        number: int = first.getsockname()[1]
        for host in range(2, 6):
            stack.enter_context(socket.create_server((f"127.0.7.{host}", number)))
        zones_file({"a.example": [("A", f"s{host}", f"127.0.7.{host}") for host in range(1, 6)]})
        yield number


def test_status_and_line(cli: Cli, port: int) -> None:
    """Exit status 3 and one line in the summary, instead of five dead hosts and status 0."""
    done = cli("--from-zones-json", "zones.json", "--port", port, "--timeout", "1.5")
    assert done.status == 3
    assert LINE in done.out


def test_canary_in_the_configuration(cli: Cli, port: int, tmp_path: Path) -> None:
    """With a canary that answers, the five are silent hosts: status 0; a canary that is not there is named at once."""
    with HttpsServers(addresses=1) as servers:
        place = f"good.example@{servers.addresses[0]}:{servers.port}"
        for canary, status in ((place, 0), (f"gone.example@127.0.7.9:{port}", 3)):
            (tmp_path / "c.toml").write_text(f'[scan]\ncanaries = ["{canary}"]\n')
            done = cli("--from-zones-json", "zones.json", "--port", port, "--timeout", "1.5", "--config", "c.toml")
            assert done.status == status
            assert ("inconclusive" in done.out) == (status == 3)
    assert f"canaries gave no answer at the start (gone.example at 127.0.7.9:{port}: connection refused)" in done.err


@pytest.mark.parametrize("arguments", [("--rate", "-1"), ("--rate", "inf"), ("--per-network", "0")])
def test_impossible_limits_are_refused(cli: Cli, port: int, arguments: tuple[str, str]) -> None:
    """A rate is no negative and no endless number; a cap is at least one."""
    assert cli("--from-zones-json", "zones.json", "--port", port, *arguments).status == 2


def test_rate_is_kept(cli: Cli, zones_file, rows_of) -> None:
    """At four a second, nine closed ports take about two seconds, and all are accounted for."""
    zones_file({"a.example": [("A", f"n{number}", f"127.0.6.{number}") for number in range(1, 10)]})
    done = cli("--from-zones-json", "zones.json", "--port", 1, "--rate", "4", "--coverage", "c.csv", "-f", "json")
    assert done.status == 0
    assert len(rows_of("c.csv")) == 9


class Closing(threading.Thread):
    """Closes every connection after the first octets; ``at`` is when each of them came."""

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        super().__init__()
        self.at: list[float] = []
        self.over = threading.Event()
        self._listeners = listeners

    def run(self) -> None:
        while not self.over.is_set():
            for listener in select.select(self._listeners, [], [], 0.1)[0]:
                self.at.append(monotonic())
                with listener.accept()[0] as connection:
                    connection.recv(4096)


def test_second_looks_share_the_rate(cli: Cli, zones_file) -> None:
    """At two a second, six servers that close every connection are asked twelve times in all: that takes five seconds."""
    with ExitStack() as stack:
        first = stack.enter_context(socket.create_server(("127.0.6.1", 0)))
        port = first.getsockname()[1]
        others = [stack.enter_context(socket.create_server((f"127.0.6.{host}", port))) for host in range(2, 7)]
        zones_file({"a.example": [("A", f"n{host}", f"127.0.6.{host}") for host in range(1, 7)]})
        server = Closing([first, *others])
        server.start()
        done = cli("--from-zones-json", "zones.json", "--port", port, "--rate", "2", "--engine", "probe", "-vv")
        server.over.set()
        server.join()
    assert done.status == 0
    assert done.err.count("(tried twice)") == 6
    assert server.at[-1] - server.at[0] > 4.2


def test_killed_and_resumed_is_as_inconclusive(zones_file, tmp_path: Path, cli: Cli) -> None:
    """Thirty refusals and a canary that is dead: what was seen before SIGKILL counts as much as what is seen after it."""
    port = closed_port()
    zones_file({"a.example": [("A", f"n{number}", f"127.0.6.{number}") for number in range(1, 31)]})
    (tmp_path / "c.toml").write_text(f'[scan]\ncanaries = ["gone.example@127.0.7.9:{port}"]\n')
    args = ["--from-zones-json", "zones.json", "--port", str(port), "--config", "c.toml", "--engine", "probe", "-v"]
    with subprocess.Popen(
        [*COMMAND, *args, "--rate", "10"], cwd=tmp_path, env=clean_environment(tmp_path), text=True, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:
        seen = 0
        while seen < 17:
            seen += " - n" in process.stderr.readline()
        os.killpg(process.pid, signal.SIGKILL)
    done = cli(*args, "--resume")
    assert " of 30 targets were observed before" in done.err
    assert done.status == 3
    assert "and 30 of 30 targets failed; " in done.out
