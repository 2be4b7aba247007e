"""The loop: conversations wait for sockets, words and moments; bugs stay where they are; nothing depends on epoll."""

import selectors
import socket
from time import monotonic

import pytest
from servers import hostile
from servers.scanning import target

from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan import ScanSettings
from dnscertscan.scan.loop import FRESH, Caught, Loop, Signal, _Selected, wait
from dnscertscan.scan.once import Once
from dnscertscan.scan.probe import Probe


def test_a_wait_ends_by_its_moment() -> None:
    """Patience ends in a TimeoutError without errno, at its time, however often it was prolonged before."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        async def talk() -> tuple[float, float]:
            start = monotonic()
            flags = FRESH
            took = []
            for patience in (0.05, 0.2):
                with pytest.raises(TimeoutError) as caught:
                    await wait(ours.fileno(), start + patience, flags)
                assert caught.value.errno is None
                took.append(monotonic() - start)
                flags = 0
            return took[0], took[1]

        first, second = Loop().run(talk())
    assert 0.05 <= first < 0.15
    assert 0.2 <= second < 0.35


def test_a_thousand_conversations_at_once() -> None:
    """Everybody gets what was sent to him, and the end of the connection."""
    pairs = [socket.socketpair() for _ in range(300)]
    loop, got = Loop(), {}

    async def listen(number: int, sock: socket.socket) -> None:
        sock.setblocking(False)
        await wait(sock.fileno(), monotonic() + 5, FRESH)
        got[number] = sock.recv(100)

    for number, (ours, _) in enumerate(pairs):
        loop.start(listen(number, ours), lambda _: None)
    for number, (_, theirs) in enumerate(pairs):
        theirs.send(str(number).encode())
    end = monotonic() + 5
    while len(got) < len(pairs) and monotonic() < end:
        loop.turn(0.1)
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
    assert got == {number: str(number).encode() for number in range(300)}


def test_one_asks_the_others_wait() -> None:
    """What is the same for all is found out once; those who waited have the answer, those who came too late for it have none."""
    loop, word, asked, answers = Loop(), Signal(), [], []

    async def ask() -> str:
        asked.append(1)
        await word.heard(monotonic() + 5)
        return "answer"

    once: Once[str] = Once()

    async def want(patience: float) -> None:
        answers.append(await once.get("key", monotonic() + patience, ask))

    for patience in (5.0, 5.0, 0.05):
        loop.start(want(patience), lambda _: None)
    end = monotonic() + 0.2
    while monotonic() < end:
        loop.turn(0.05)
    word.fire()
    loop.turn(0.1)
    loop.turn(0.1)
    assert (len(asked), answers) == (1, [None, "answer", "answer"])


def test_the_oldest_answers_are_forgotten() -> None:
    """The table is bounded."""
    once: Once[int] = Once(most=2)
    asked = []

    async def run() -> None:
        for key in (1, 2, 3, 3, 1):
            async def ask(key: int = key) -> int:
                asked.append(key)
                return key

            assert await once.get(key, monotonic() + 1, ask) == key

    Loop().run(run())
    assert asked == [1, 2, 3, 1]


def test_bugs_are_kept_in_hand() -> None:
    """What nobody foresaw is caught, what ends the process is not."""
    with Caught() as caught:
        raise ZeroDivisionError("unforeseen")
    assert isinstance(caught.error, ZeroDivisionError)
    with pytest.raises(KeyboardInterrupt), Caught():
        raise KeyboardInterrupt


@pytest.mark.parametrize(("behaviour", "kind"), [
    (hostile.silent, FailureKind.HANDSHAKE_TIMEOUT), (hostile.close_on_hello, FailureKind.CLOSED),
    (hostile.endless, FailureKind.TOO_LARGE), (hostile.ssh, FailureKind.NOT_TLS),
])
def test_without_epoll(behaviour: hostile.Behaviour, kind: FailureKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems that have no epoll get the same outcomes from what they have."""
    monkeypatch.setattr(selectors, "DefaultSelector", selectors.PollSelector)
    loop = Loop()
    loop._poller.close()
    loop._poller = _Selected()
    with hostile.serve(behaviour) as port:
        outcome = loop.run(Probe(target(port), ScanSettings(timeout=0.5), monotonic() + 0.5, lambda: None).read())
    assert isinstance(outcome, Failure)
    assert outcome.kind is kind
