"""What a scan engine is, and the limits every engine keeps."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Observation

Clock = Callable[[], datetime]
"""Says what time it is: aware, UTC."""
Doubt = Callable[[Observation], bool]
"""Whether something seems to be wrong with what was observed."""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """Limits of one scan. Times are seconds of wall clock, sizes octets."""

    timeout: float = 10.0
    """Per target, over everything that is asked of it."""
    connect_timeout: float = 5.0
    """For the TCP connection alone; never longer than ``timeout``."""
    concurrency: int = 100
    """Targets in flight that exchange data, over all; four times as many more may wait for a peer that says nothing."""
    per_address: int = 4
    """Targets in flight that exchange data with one address."""
    per_network: int = 64
    """Targets in flight that exchange data with one network: an IPv4 /24, an IPv6 /48.

    The probe engine has one process for all of a network: the most it can have is that process's share of ``concurrency``.
    """
    rate: float = 0.0
    """Targets begun per second, over all; 0 is as fast as the other limits allow."""
    max_bytes: int = 1 << 20
    """Received per connection of our own handshakes."""
    workers: int = 0
    """Processes of each kind; 0 is one per CPU this process may use."""
    recycle: int = 2000
    """Targets after which a SSLyze process is replaced by a fresh one: the library leaks."""
    worker_memory: int = 1 << 30
    """Data segment of one worker process."""
    starttls_name: str = "dnscertscan.invalid"
    """How the scanner introduces itself where a STARTTLS dialogue asks for a name (EHLO)."""


class ScanEngine(Protocol):
    """Looks at targets.

    ``scan`` yields exactly one observation per target, in the order they are done. It pulls targets only as there is room
    for them. Closing the iterator early, or cancelling the task that reads it, ends all work and leaves no process behind.
    An engine may be used for one scan after another, not for two at a time. ``gentle`` is for a second look at what failed:
    one target of an address at a time, few in all, so that our own load cannot be the reason of another failure.
    """

    name: str

    def scan(self, targets: Iterable[Target], *, gentle: bool = False) -> AsyncIterator[Observation]:
        """Observe every target once."""
        ...
