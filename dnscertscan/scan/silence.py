"""Which ports say nothing at all, and how long it is still worth waiting for one of them."""

from dnscertscan.model.endpoints import Endpoint
from dnscertscan.scan.base import ScanSettings

CERTAIN = 8
"""Connections in a row, each silent to the end of its time, after which a port is taken to be dead."""
_HOPELESS = 64
_SHORTER, _SHORTEST = 4, 10
_LEAST = 1.0
_FULL = 0.95
_REMEMBERED = 1 << 16


class Silences:
    """Counts connections without one octet, in a row, per (address, port).

    Why a shorter wait: thousands of names may point to one dead address, and at the full time for each of them it would outlast
    all the rest of the run. Eight connections that waited for their full time and got nothing, with no octet to anybody in
    between, say that it is the host and not the name. The names that remain are still asked, each on a connection of its own,
    and each outcome states the time that was really waited: a quarter of the limit, after 64 in a row a tenth, never under a
    second (a lost packet is sent again after one). The first octet anybody gets gives all that follow their full time again.
    """

    def __init__(self, settings: ScanSettings) -> None:
        self._timeout = settings.timeout
        self._connecting = min(settings.timeout, settings.connect_timeout)
        self._counts: dict[tuple[str, int], int] = {}

    def is_dead(self, endpoint: Endpoint) -> bool:
        """Whether nobody expects an answer from there any more."""
        return self._counts.get((endpoint.address, endpoint.port), 0) >= CERTAIN

    def patience(self, endpoint: Endpoint) -> float:
        """Seconds that the next target there may take, over everything."""
        count = self._counts.get((endpoint.address, endpoint.port), 0)
        if count < CERTAIN:
            return self._timeout
        part = _SHORTER if count < _HOPELESS else _SHORTEST
        return min(self._timeout, max(_LEAST, self._timeout / part))

    def heard(self, endpoint: Endpoint) -> None:
        """Somebody there has said something."""
        self._counts.pop((endpoint.address, endpoint.port), None)

    def ended(self, endpoint: Endpoint, seconds: float, allowed: float) -> None:
        """A connection without one octet has ended after ``seconds`` of the ``allowed`` ones (a refusal, for one, is quick)."""
        if seconds < _FULL * min(allowed, self._connecting):
            return
        key = (endpoint.address, endpoint.port)
        if key not in self._counts and len(self._counts) >= _REMEMBERED:
            del self._counts[next(iter(self._counts))]
        self._counts[key] = self._counts.get(key, 0) + 1
