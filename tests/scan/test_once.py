"""Facts of an endpoint: one asks for all, and what nobody answered is asked again, a few times."""

from collections.abc import Iterator
from time import monotonic

import pytest

from dnscertscan.scan.loop import Loop, Signal
from dnscertscan.scan.once import NoAnswerError, Once


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop of its own."""
    made = Loop()
    yield made
    made.close()


class _Question:
    """Fails so many times, each after a moment; then it is answered."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        number = self.asked
        try:
            await Signal().heard(monotonic() + 0.02)
        except TimeoutError:
            if number <= self.failures:
                raise NoAnswerError from None
        return f"answer {number}"


def _all(loop: Loop, once: Once[str], question: _Question, count: int, seconds: float = 5.0) -> list[str | None]:
    found: list[str | None] = []
    for _ in range(count):
        loop.start(once.get("key", monotonic() + seconds, question), found.append)
    while len(found) < count:
        loop.turn(0.1)
    return found


def test_one_asks_for_all(loop: Loop) -> None:
    """Those who come while he asks and those who come later have his answer."""
    once, question = Once[str](), _Question(0)
    assert _all(loop, once, question, 5) + _all(loop, once, question, 1) == ["answer 1"] * 6
    assert question.asked == 1


@pytest.mark.parametrize("failures", [1, 2])
def test_the_next_one_asks_again(loop: Loop, failures: int) -> None:
    """Who waited for an answer that did not come asks himself; only those who asked in vain have none."""
    question = _Question(failures)
    assert sorted(map(str, _all(loop, Once[str](), question, 5))) == sorted(
        ["None"] * failures + [f"answer {failures + 1}"] * (5 - failures)
    )
    assert question.asked == failures + 1


def test_nobody_asks_for_ever(loop: Loop) -> None:
    """After three questions in vain the endpoint is left alone."""
    once, question = Once[str](), _Question(99)
    assert _all(loop, once, question, 6) + _all(loop, once, question, 2) == [None] * 8
    assert question.asked == 3


def test_waiting_ends_in_time(loop: Loop) -> None:
    """Who has no time to wait has no answer, and does not ask."""
    question = _Question(0)
    assert sorted(map(str, _all(loop, Once[str](), question, 3, seconds=0.0))) == ["None", "None", "answer 1"]
    assert question.asked == 1


def test_the_ones_not_wanted_for_longest_go(loop: Loop) -> None:
    """The number kept is bounded."""
    once, question = Once[str](most=2), _Question(0)
    for key in ("a", "b", "a", "c", "a", "b"):
        loop.run(once.get(key, monotonic() + 5, question))
    assert question.asked == 4
