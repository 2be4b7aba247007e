"""One look at a host with the program's own engine: all its addresses, every certificate each of them serves."""

import errno
import socket
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic

from dnscertscan.assembly import utc_now
from dnscertscan.cli.place import Place
from dnscertscan.model.endpoints import Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Deployment, Failure, FailureKind, Handshake, Observation
from dnscertscan.model.text import visible
from dnscertscan.report.describe import is_unrouted
from dnscertscan.resolve.chase import Question, Status
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.scan import ENGINES
from dnscertscan.scan.base import ScanSettings
from dnscertscan.web.addresses import Resolve, addresses_of, system_addresses
from dnscertscan.web.places import NotFetched

MAX_ADDRESSES = 64
_ENGINE = "probe"
"""The engine that asks for SCTs and for a staple in each of its handshakes; those of others cannot show what was not sent."""
_TARGET_SECONDS = 10.0
_AGAIN = frozenset({FailureKind.RESET, FailureKind.CLOSED, FailureKind.HANDSHAKE_TIMEOUT})
_NO_ANSWER = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL})
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_ASKING_SECONDS = 2.0


@dataclass(slots=True)
class Look:
    """What is seen, as far as it is: whoever ends it early still has what was there by then."""

    place: Place
    seconds: float
    targets: tuple[Target, ...] = ()
    seen: dict[Target, Observation] = field(default_factory=dict)
    left_out: int = 0
    problem: str = ""
    """Why there is no address to ask."""
    unresolved: bool = False
    """Whether that is only because nobody gave an answer about the name."""
    wayless: frozenset[Target] = frozenset()
    """IPv6 addresses that this machine has no way to: neither an address to connect from nor a route."""
    find: Resolve = system_addresses
    resolver: Resolver = field(default_factory=lambda: Resolver(timeout=_ASKING_SECONDS, retries=0))
    """Asked once more about a name that ``find`` knows no address of."""

    async def go(self) -> None:
        """Look up the addresses and ask each of them."""
        addresses = self.place.addresses
        if not addresses:
            try:
                addresses = tuple(await addresses_of(self.place.host, self.place.port, self.find))
            except NotFetched as error:
                await self._not_found(error)
                return
        every = self.place.targets(addresses)
        self.targets, self.left_out = every[:MAX_ADDRESSES], len(every[MAX_ADDRESSES:])
        self.wayless = frozenset(target for target in self.targets if not _has_way(target.endpoint.address))
        if not self.targets:
            self.problem = f"host {self.place.host} has no address that can be asked ({visible(', '.join(addresses), 200)})"
        begun = monotonic()
        await self._scan(self.targets, gentle=False)
        failed = [target for target in self.targets if (kind := _kind(self.seen.get(target))) and kind in _AGAIN]
        if failed and monotonic() - begun < self.seconds / 3:
            await self._scan(failed, gentle=True)

    async def _not_found(self, error: NotFetched) -> None:
        """Tell a name that is not there from one that nobody gives an answer about.

        The C library says of answers such as FORMERR, too, that the name is not known.
        """
        self.problem, self.unresolved = visible(str(error).removeprefix("its "), 300), True
        cause = error.__cause__
        if isinstance(cause, socket.gaierror) and cause.errno in _NO_ANSWER:
            return
        answer = await self.resolver.lookup(Question(DnsName.parse(self.place.host)))
        self.unresolved = answer.status not in (Status.NXDOMAIN, Status.NO_DATA)
        if self.unresolved:
            said = visible(answer.reason, 200) or f"a nameserver has {visible(', '.join(answer.addresses), 200)}"
            self.problem += f"; {said}"

    @property
    def without_ipv6(self) -> bool:
        """Whether this machine has no IPv6 to reach any of the IPv6 addresses with: that is no news of the host."""
        every = [target for target in self.targets if ":" in target.endpoint.address]
        return all(target in self.wayless and self._is_unrouted(target) for target in every)

    def _is_unrouted(self, target: Target) -> bool:
        outcome = observation.outcome if (observation := self.seen.get(target)) else None
        return isinstance(outcome, Failure) and is_unrouted(target.endpoint.address, outcome.kind.value, outcome.detail)

    async def _scan(self, targets: Sequence[Target], *, gentle: bool) -> None:
        if not targets:
            return
        timeout = min(_TARGET_SECONDS, self.seconds / 2)
        limits = ScanSettings(timeout=timeout, connect_timeout=min(5.0, timeout), concurrency=8, workers=1)
        async with aclosing(ENGINES[_ENGINE](limits, utc_now).scan(targets, gentle=gentle)) as observations:  # type: ignore[type-var]  # engines promise asynchronous generators, which can be closed
            async for observation in observations:
                self.seen[observation.target] = observation

    def served(self) -> tuple[tuple[Target, Deployment], ...]:
        """Every list that was served for the name, in the order of the addresses."""
        return tuple(
            (target, deployment) for target in self.targets if (observation := self.seen.get(target))
            and isinstance(observation.outcome, Handshake) for deployment in observation.outcome.deployments if deployment.sni
        )

    def silent(self) -> tuple[tuple[Target, FailureKind, str], ...]:
        """Addresses without a certificate: which, why in a word, why in a sentence that is safe to show."""
        found = []
        for target in self.targets:
            observation = self.seen.get(target)
            if observation is None:
                found.append((target, FailureKind.DEADLINE, "the time ended before it was asked, or while"))
            elif isinstance(observation.outcome, Failure):
                found.append((target, observation.outcome.kind, visible(observation.outcome.detail, 300)))
        return tuple(found)

    def incomplete(self) -> list[str]:
        """Handshakes that may have shown more, in sentences."""
        texts = []
        for target, observation in self.seen.items():
            if isinstance(observation.outcome, Handshake):
                missed = list(observation.outcome.unanswered)
                if observation.outcome.engine_failure is not None:
                    missed.append(observation.outcome.engine_failure.detail)
                if missed:
                    said = visible("; ".join(missed), 300)
                    texts.append(f"{target.endpoint.text}: it may serve more certificates, not all handshakes ended ({said})")
        return texts


def where(target: Target, deployment: Deployment) -> str:
    """``192.0.2.1:443 (TLS 1.2 RSA, TLS 1.3)``."""
    return f"{target.endpoint.text} ({', '.join(deployment.how)})"


def no_certificate(target: Target, kind: FailureKind, said: str) -> str:
    """One sentence for an address without a certificate."""
    plain = kind is FailureKind.NOT_TLS and target.endpoint.service == "tls"
    advice = "; a service that begins without TLS needs --starttls" if plain else ""
    return f"{target.endpoint.text}: no certificate: {kind} ({said}){advice}"


def _has_way(address: str) -> bool:
    """Whether this machine knows where to send what is for an IPv6 address; of others nothing is said.

    Connecting a datagram socket only chooses the way, nothing is sent. When the answer comes from a router far away, the words
    of the failure are the same.
    """
    if ":" not in address:
        return True
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as way:
            way.connect((address, 9))
    except OSError as error:
        return error.errno not in _NO_WAY
    return True


def _kind(observation: Observation | None) -> FailureKind | None:
    return observation.outcome.kind if observation and isinstance(observation.outcome, Failure) else None
