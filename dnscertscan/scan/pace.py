"""How fast targets are begun: a rate with jitter, so that many runs of many people do not beat in step."""

from random import Random

_JITTER = 0.25
_BURST = 3
_LATENESS = 0.01


class Pace:
    """When the next target may be begun. ``rate`` is targets per second, 0 for no limit; times are seconds of any steady clock.

    Every interval is longer or shorter by up to a quarter. After a lull at most three targets are begun at once (at rates above
    200 per second what belongs to 10 ms, because no event loop wakes more exactly), so the average is never above the rate.
    """

    def __init__(self, rate: float, random: Random) -> None:
        self._interval = 1.0 / rate if rate > 0 else 0.0
        self._credit = max((_BURST - 1) * self._interval, _LATENESS)
        self._random = random
        self._at: float | None = None

    def ready_at(self, now: float) -> float:
        """The moment from which on a target may be begun; ``now`` when that is at once."""
        return now if not self._interval or self._at is None else max(now, self._at)

    def begun(self, now: float) -> None:
        """A target has been begun."""
        if self._interval:
            earned = now if self._at is None else max(self._at, now - self._credit)
            self._at = earned + self._interval * self._random.uniform(1 - _JITTER, 1 + _JITTER)
