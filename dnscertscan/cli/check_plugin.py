"""What `check` prints: one line with performance data, then everything, as monitoring plug-ins do (nagiosplugin)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nagiosplugin import (
    Check,
    Context,
    Critical,
    Metric,
    Ok,
    Performance,
    Range,
    Resource,
    Result,
    Results,
    Summary,
    Unknown,
    Warn,
)

from dnscertscan.cli.check_limits import Limit
from dnscertscan.cli.check_seen import Seen, Served
from dnscertscan.ct.audit_output import plain
from dnscertscan.ct.audit_report import Point, Status
from dnscertscan.model.text import visible

SERVICE = "CERT"
_STATES = {Status.OK: Ok, Status.WARNING: Warn, Status.CRITICAL: Critical, Status.UNKNOWN: Unknown}
_STATUS = {state: status for status, state in _STATES.items()}
_PRECEDENCE = (Critical, Unknown, Warn, Ok)
_DAY = timedelta(days=1)
_LINE = 500
"""Characters of the first line's text: web pages and text messages show it whole."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the place as text, when, the ranges, how long it took and may take (seconds)."""

    place: str
    at: datetime
    warning: Limit | None
    critical: Limit | None
    seconds: float
    timeout: float


class _Worst(Results):  # type: ignore[misc]  # nagiosplugin has no types
    """CRITICAL before UNKNOWN, as the monitoring plug-ins themselves rank them: what is known to be broken is not unknown."""

    @property
    def most_significant_state(self) -> object:
        """The state of the whole."""
        return next(state for state in _PRECEDENCE if state in self.by_state)


class _Said(Summary):  # type: ignore[misc]  # nagiosplugin has no types
    def __init__(self, asked: Asked, seen: Seen) -> None:
        self._asked, self._seen = asked, seen

    def ok(self, results: Results) -> str:  # noqa: ARG002 - nagiosplugin's signature
        return f"{self._asked.place}: {_fine(self._asked, self._seen)}"

    def problem(self, results: Results) -> str:
        others = sum(result.state is not Ok for result in results) - 1
        more = f" (and {others} more below)" if others > 0 else ""
        return f"{self._asked.place}: {visible(results.first_significant.hint, _LINE)}{more}"

    def verbose(self, results: Results) -> list[str]:
        order = sorted(results.results, key=lambda result: _PRECEDENCE.index(result.state))
        lines = [f"{'note' if one.state is Ok else _STATUS[one.state]}: {one.hint}" for one in order if one.hint]
        return [*lines, *_details(self._asked, self._seen)]


class _Host(Resource):  # type: ignore[misc]  # nagiosplugin has no types
    """The measured values."""

    name = SERVICE

    def __init__(self, asked: Asked, seen: Seen) -> None:
        self._asked, self._seen = asked, seen

    def probe(self) -> Iterator[Metric]:
        if (first := _first(self._asked, self._seen)) is not None and (left := _left(first, self._asked.at)) is not None:
            yield Metric("days_left", left, context="left")
        severities = [point.status for point in self._seen.points]
        yield Metric("addresses", self._seen.addresses, min=0, context="count")
        yield Metric("unreachable", self._seen.silent, min=0, max=self._seen.addresses, context="count")
        yield Metric("certificates", len(self._seen.served), min=0, context="count")
        yield Metric("critical", severities.count(Status.CRITICAL), min=0, context="count")
        yield Metric("warning", severities.count(Status.WARNING), min=0, context="count")
        yield Metric("time", round(self._asked.seconds, 3), "s", min=0, max=self._asked.timeout, context="count")


class _Counted(Context):  # type: ignore[misc]  # nagiosplugin has no types
    def performance(self, metric: Metric, resource: Resource) -> Performance:  # noqa: ARG002 - nagiosplugin's signature
        return Performance(metric.name, metric.value, metric.uom, min=metric.min, max=metric.max)


class _Left(Context):  # type: ignore[misc]  # nagiosplugin has no types
    """The days that the first certificate to end has left; its alarm is among the results already."""

    def __init__(self, asked: Asked, lifetime: timedelta) -> None:
        super().__init__("left")
        self._ranges = [limit and limit.in_days(lifetime) for limit in (asked.warning, asked.critical)]

    def performance(self, metric: Metric, resource: Resource) -> Performance:  # noqa: ARG002 - nagiosplugin's signature
        return Performance(metric.name, metric.value, None, *self._ranges)


def render(asked: Asked, seen: Seen) -> tuple[str, int]:
    """The whole output, and the exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""
    points = [*seen.points, *_out_of_range(asked, seen)]
    if not seen.served and not any(point.status is not Status.OK for point in points):
        points.append(Point(Status.OK, "no certificate was seen; that nobody can connect is no alarm here (--unreachable)"))
    first = _first(asked, seen)
    check = Check(
        _Host(asked, seen), _Counted("count"), _Left(asked, first.lifetime if first else timedelta(0)), _Said(asked, seen),
        _Worst(*(Result(_STATES[point.status], point.text) for point in points)),
    )
    check()
    lines = [plain(f"{SERVICE} {str(check.state).upper()} - {check.summary_str}") + f" | {' '.join(check.perfdata)}"]
    return "\n".join([*lines, *map(plain, check.verbose_str)]), check.exitcode


def _out_of_range(asked: Asked, seen: Seen) -> Iterator[Point]:
    """Certificates whose days left are no good; the worse of both ranges is told."""
    for one in seen.served:
        left = _left(one, asked.at)
        for limit, status in ((asked.critical, Status.CRITICAL), (asked.warning, Status.WARNING)):
            if limit is None or left is None:
                continue
            allowed: Range = limit.in_days(one.lifetime)
            if not allowed.match(left):
                side = "inside" if allowed.invert else "outside"
                what = f"{side} {str(allowed).removeprefix('@')}" + (f" ({limit})" if limit.percent else "")
                yield Point(status, f"{_name(one)} has {left:g} days left, {what}; it ends at {_text(one.end)}")
                break


def _first(asked: Asked, seen: Seen) -> Served | None:
    """The certificate that ends first."""
    ending = [one for one in seen.served if one.end is not None]
    return min(ending, key=lambda one: one.left(asked.at) or timedelta(0), default=None)


def _left(served: Served, at: datetime) -> float | None:
    """Days, cut to two places and never rounded up: with 29.999 left there are not 30."""
    left = served.left(at)
    return None if left is None else math.floor(left / _DAY * 100) / 100


def _fine(asked: Asked, seen: Seen) -> str:
    first = _first(asked, seen)
    if first is None:
        return next((point.text for point in seen.points), "no certificate was seen")
    which = "certificate" if len(seen.served) == 1 else f"first of {len(seen.served)} certificates"
    answered = seen.addresses - seen.silent
    where = f" on {answered} addresses" if answered > 1 else ""
    where = f" on {answered} of {seen.addresses} addresses" if seen.silent else where
    return visible(f"{which}{where} ends at {_text(first.end)}, {_left(first, asked.at):g} days left", _LINE)


def _details(asked: Asked, seen: Seen) -> Iterator[str]:
    for one in seen.served:
        leaf = one.leaf
        yield f'{_name(one)} of "{visible(leaf.issuer, 200)}", serial {visible(leaf.serial, 60) or "unreadable"}'
        left = _left(one, asked.at)
        if one.end is not None and left is not None:
            early = "" if one.end == leaf.not_after else f"; an issuer ends first, at {_text(one.end)}"
            yield f"  valid {_text(leaf.not_before)} to {_text(leaf.not_after)}{early}, {left:g} days left"
        yield f"  SHA-256 {leaf.sha256}"
        for place in one.places:
            yield f"  served by {visible(place, 200)}"
    yield f"judged at {_text(asked.at)}; `dnscertscan explain CODE` says more about a code"


def _name(served: Served) -> str:
    return f'certificate "{visible(served.leaf.subject, 200)}"'


def _text(moment: datetime | None) -> str:
    return "unknown" if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")
