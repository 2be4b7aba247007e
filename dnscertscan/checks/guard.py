"""A fault in one check costs that check on that target alone, and is itself a finding."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from dnscertscan.checks.catalog import RULES
from dnscertscan.model.endpoints import Target
from dnscertscan.model.findings import Finding, Subject

T = TypeVar("T")


def guarded(
    check: str, subject: Subject, target: Target | None, crashes: list[Finding], look: Callable[[], Iterable[T]],
) -> list[T]:
    """What ``look()`` gives; when it crashes, what it gave until then, and a ``check-crashed`` finding in ``crashes``."""
    seen: list[T] = []
    try:
        for one in look():
            seen.append(one)  # noqa: PERF402 - one by one on purpose: what came before a crash is kept
    except Exception as error:  # noqa: BLE001 - whatever a check stumbles over, the other checks and targets must go on
        rule = RULES["check-crashed"]
        place = target.endpoint.text + " " if target else ""
        message = f'check "{check}" crashed on {place}{subject.fqdn or subject.zone}: {_cause(error)}'
        crashes.append(Finding(rule, rule.severity, subject, message, target=target))
    return seen


def _cause(error: Exception) -> str:
    """Type and place of the error; not its text, which may carry memory addresses and so differ from run to run."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    module = trace.tb_frame.f_globals.get("__name__", "?")
    return f"{type(error).__name__} in {module}.{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}"
