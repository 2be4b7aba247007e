"""A run that goes on from a journal: its failures count, and those that the earlier network may have caused are asked again."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from report import factory
from servers import hostile
from servers.scanning import clock, probe_engine, target

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.model.endpoints import Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Failure, FailureKind, Observation
from dnscertscan.model.report import Report
from dnscertscan.pipeline import Parts, Stop, run
from dnscertscan.pipeline.canaries import Canary
from dnscertscan.pipeline.second_look import RetrySettings
from dnscertscan.pki.truststore import TrustStore
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, record_text
from dnscertscan.settings.values import parse_service_port
from dnscertscan.store.header import Header
from dnscertscan.store.journal import Journal
from dnscertscan.zones.json_file import JsonFileSource

REFUSED = Failure(FailureKind.REFUSED, "connection refused")


def go(folder: Path, count: int, port: int, canaries: Sequence[Canary] = ()) -> Report:
    """Run over ``count`` names on one port with the journal that lies in ``folder``, a new one if there is none."""
    records = [{"type": "A", "name": f"n{at}", "ttl": 1, "target": "127.0.4.1"} for at in range(count)]
    (folder / "z.json").write_text(json.dumps({"test": records}))
    place = folder / "journal"
    journal = Journal.open(place) if place.exists() else Journal.create(place, Header("", clock()))
    judge = Judge(CheckPolicy(), (TrustStore("none", ()),), (), clock(), record_text=record_text)
    made = Parts(
        [JsonFileSource(folder / "z.json")], Resolver((("127.0.0.1", 1),)), MapSettings((parse_service_port(str(port)),)),
        probe_engine(timeout=3.0), judge, clock, retry=RetrySettings(timeout=3.0), canaries=canaries, journal=journal,
    )
    try:
        return asyncio.run(run(made, lambda _: None, Stop()))
    finally:
        journal.close()


class Listener:
    """A port that refuses every connection until it answers every connection with an alert."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket()
        self._socket.bind((address, 0))
        self.port: int = self._socket.getsockname()[1]
        self.visits = 0
        self._thread = threading.Thread(target=self._answer)

    def wake(self) -> None:
        """From now on it answers."""
        self._socket.listen(64)
        self._thread.start()

    def close(self) -> None:
        """It is gone."""
        if self._thread.is_alive():
            self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join(5)
        self._socket.close()

    def _answer(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            with connection:
                hostile.alert(40)(hostile.Visit(connection, self.visits, threading.Event()))


@contextmanager
def listener(address: str) -> Iterator[Listener]:
    held = Listener(address)
    try:
        yield held
    finally:
        held.close()


def reasons(report: Report) -> dict[str, int]:
    """How the targets ended."""
    return {reason: count for (_, reason), count in report.coverage.counts().items()}


def test_what_an_inconclusive_run_lost_is_asked_again(tmp_path: Path) -> None:
    """The network is back when the run is resumed: everything is asked once more and answers; a third run asks nobody."""
    with listener("127.0.4.1") as server, listener("127.0.4.2") as well:
        canaries = (Canary(DnsName("canary.test"), well.port, "127.0.4.2"),)
        with go(tmp_path, 3, server.port, canaries) as report:
            assert (reasons(report), bool(report.inconclusive), report.complete) == ({"refused": 3}, True, False)
        with go(tmp_path, 3, server.port, canaries) as report:  # still gone: the same again
            assert (reasons(report), bool(report.inconclusive)) == ({"refused": 3}, True)
        server.wake()
        well.wake()
        with go(tmp_path, 3, server.port, canaries) as report:
            assert (reasons(report), report.inconclusive, report.complete) == ({"alert": 3}, "", True)
        visits = server.visits
        go(tmp_path, 3, server.port, canaries).close()
        assert (visits >= 3, server.visits) == (True, visits)


def journaled(folder: Path, port: int, outcomes: Sequence[object]) -> None:
    """A journal of a run that was killed after these outcomes, a second between them, in the order of time."""
    journal = Journal.create(folder / "journal", Header("", clock()))
    start = clock() - timedelta(hours=1)
    for number, outcome in enumerate(outcomes):
        journal.add(Observation(_target(number, port), outcome, "probe", start + timedelta(seconds=number), 0.1))
    journal.close()


def _target(number: int, port: int) -> Target:
    return target(port, f"n{number}.test", address="127.0.4.1")


def test_losses_since_the_network_went_away_are_asked_again(tmp_path: Path) -> None:
    """Killed while nobody answered any more, resumed where everybody does: those that had answered are left alone."""
    with listener("127.0.4.1") as server:
        server.wake()
        journaled(tmp_path, server.port, [factory.handshake()] * 20 + [REFUSED] * 12)
        with go(tmp_path, 40, server.port) as report:
            assert (reasons(report), report.inconclusive) == ({"ok": 20, "alert": 20}, "")


def test_losses_among_answers_stay(tmp_path: Path) -> None:
    """Dead hosts all over the run are dead hosts: they are not asked again, and those that had answered settle the doubt."""
    with listener("127.0.4.1") as server:
        server.wake()
        journaled(tmp_path, server.port, [factory.handshake(), REFUSED] * 30)
        with go(tmp_path, 61, server.port) as report:
            assert (reasons(report), report.inconclusive) == ({"ok": 30, "refused": 30, "alert": 1}, "")


def test_answers_of_the_journal_are_canaries(tmp_path: Path) -> None:
    """What had answered and is gone when the resumed run ends makes it inconclusive, as if it had been one run."""
    with listener("127.0.4.1") as server:
        journaled(tmp_path, server.port, [factory.handshake(), REFUSED] * 20)
        with go(tmp_path, 60, server.port) as report:
            assert report.inconclusive.startswith("1 of 1 targets that are known to work gave no answer (")
