"""One look at a host for `ct audit`: all its addresses, every certificate each of them serves; then logs and search services."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic

from dnscertscan.assembly import utc_now
from dnscertscan.cli.ct_audit_online import Online
from dnscertscan.cli.ct_audit_place import Place
from dnscertscan.cli.session import drive
from dnscertscan.ct.audit_make import Auditor
from dnscertscan.ct.audit_report import Audited, Point, Presented, Report, Status
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Deployment, Failure, FailureKind, Handshake, Observation
from dnscertscan.model.text import visible
from dnscertscan.pipeline import Stop
from dnscertscan.scan import ENGINES
from dnscertscan.scan.base import ScanSettings
from dnscertscan.web.addresses import addresses_of, system_addresses
from dnscertscan.web.places import NotFetched

MAX_ADDRESSES = 64
_ENGINE = "probe"
"""The engine that asks for SCTs and for a staple in each of its handshakes; those of others cannot show what was not sent."""
_TARGET_SECONDS = 10.0
_MARGIN = 1.0
"""Seconds that are kept back for judging and telling."""
_AGAIN = frozenset({FailureKind.RESET, FailureKind.CLOSED, FailureKind.HANDSHAKE_TIMEOUT})
_NO_ROUTE = frozenset({FailureKind.UNREACHABLE})


@dataclass(slots=True)
class Look:
    """What is seen, as far as it is: whoever ends it early still has what was there by then."""

    place: Place
    seconds: float
    targets: tuple[Target, ...] = ()
    seen: dict[Target, Observation] = field(default_factory=dict)
    left_out: int = 0
    problem: str = ""

    async def go(self) -> None:
        """Look up the addresses and ask each of them."""
        addresses = self.place.addresses
        if not addresses:
            try:
                addresses = tuple(await addresses_of(self.place.host, self.place.port, system_addresses))
            except NotFetched as error:
                self.problem = visible(str(error).removeprefix("its "), 300)
                return
        every = self.place.targets(addresses)
        self.targets, self.left_out = every[:MAX_ADDRESSES], len(every[MAX_ADDRESSES:])
        if not self.targets:
            self.problem = f"host {self.place.host} has no address that can be asked ({visible(', '.join(addresses), 200)})"
        begun = monotonic()
        await self._scan(self.targets, gentle=False)
        failed = [target for target in self.targets if (kind := _kind(self.seen.get(target))) and kind in _AGAIN]
        if failed and monotonic() - begun < self.seconds / 3:
            await self._scan(failed, gentle=True)

    async def _scan(self, targets: Sequence[Target], *, gentle: bool) -> None:
        if not targets:
            return
        timeout = min(_TARGET_SECONDS, self.seconds / 2)
        limits = ScanSettings(timeout=timeout, connect_timeout=min(5.0, timeout), concurrency=8, workers=1)
        async with aclosing(ENGINES[_ENGINE](limits, utc_now).scan(targets, gentle=gentle)) as observations:  # type: ignore[type-var]  # engines promise asynchronous generators, which can be closed
            async for observation in observations:
                self.seen[observation.target] = observation

    def presented(self) -> tuple[Presented, ...]:
        """Every list that was served for the name, in the order of the addresses."""
        return tuple(
            _presented(target, deployment) for target in self.targets if (observation := self.seen.get(target))
            and isinstance(observation.outcome, Handshake) for deployment in observation.outcome.deployments if deployment.sni
        )

    def unanswered(self) -> tuple[tuple[str, str, str], ...]:
        """Addresses without a certificate: where, why in a word, why in a sentence."""
        found = []
        for target in self.targets:
            observation = self.seen.get(target)
            if observation is None:
                found.append((target.endpoint.text, str(FailureKind.DEADLINE), "the time ended before it was asked, or while"))
            elif isinstance(observation.outcome, Failure):
                failure = observation.outcome
                found.append((target.endpoint.text, str(failure.kind), visible(failure.detail, 300)))
        return tuple(found)

    def points(self) -> tuple[Point, ...]:
        """What is to be said of the host."""
        if self.problem or not self.targets:
            return (Point(Status.UNKNOWN, self.problem or "the time ended before its addresses were known"),)
        answered = any(isinstance(one.outcome, Handshake) for one in self.seen.values())
        points = []
        if self.left_out:
            points.append(Point(Status.WARNING, f"{self.left_out} addresses more than {MAX_ADDRESSES} were not asked"))
        for target, (place, word, said) in zip(self._silent(), self.unanswered(), strict=True):
            status = Status.UNKNOWN if not answered else Status.WARNING
            if answered and ":" in target.endpoint.address and word in _NO_ROUTE:
                status = Status.OK  # a machine without IPv6, which is no news of the host
            points.append(Point(status, f"{place}: no certificate: {word} ({said}){_advice(target, word)}"))
        return (*points, *(Point(Status.OK, text) for text in self._incomplete()))

    def _silent(self) -> list[Target]:
        return [
            target for target in self.targets
            if (observation := self.seen.get(target)) is None or isinstance(observation.outcome, Failure)
        ]

    def _incomplete(self) -> list[str]:
        """Handshakes that may have shown more."""
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


def _kind(observation: Observation | None) -> FailureKind | None:
    return observation.outcome.kind if observation and isinstance(observation.outcome, Failure) else None


def _advice(target: Target, word: str) -> str:
    plain = word == FailureKind.NOT_TLS and target.endpoint.service == "tls"
    return "; a service that begins without TLS needs --starttls" if plain else ""


def _presented(target: Target, deployment: Deployment) -> Presented:
    staple = deployment.staple if deployment.staple is not None or deployment.scts is None else b""
    where = f"{target.endpoint.text} ({', '.join(deployment.how)})"
    return Presented(deployment.chain, staple, deployment.scts, (where,))


def audit_host(place: Place, auditor: Auditor, online: Online, seconds: float) -> Report:
    """Look, judge, and ask others what was wanted; in ``seconds``, whatever the host does."""
    look, begun = Look(place, seconds), monotonic()
    cut: list[Point] = []

    async def work(stop: Stop) -> tuple[Audited, ...]:
        await stop.unless(look.go())
        if stop.reason:
            cut.append(Point(Status.UNKNOWN, f"not everything was looked at: {stop.reason}"))
        audited = auditor.audit_all(look.presented())
        if not online.is_wanted or stop.reason:
            return audited
        left = seconds - (monotonic() - begun) - _MARGIN
        told = await stop.unless(online.ask(audited, auditor, place.host, left))
        if told is None:
            cut.append(Point(Status.WARNING, f"what logs and search services have is not known: {stop.reason}"))
        return audited if told is None else told

    audited = drive(work, seconds)
    return Report(place.text, auditor.at, auditor.log_list, audited, (*cut, *look.points()), look.unanswered())
