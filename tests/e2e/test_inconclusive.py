"""When nobody answers at all, the run says that it cannot be believed; a server known to work settles it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers.command import Done
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
