"""One history out of many dated lists, so that a certificate of last year is judged by the list of its day.

A list says of each log its present state and since when. Lists laid over each other in the order of their dates therefore give
the states of a log with exact dates, though not every list was seen. A log that is no longer listed is rejected from the date of
the first list without it; should a later list have it again, that one is believed.
"""

from dataclasses import replace
from datetime import datetime
from itertools import groupby

from dnscertscan.model.ct import Log, LogList, LogState

_States = tuple[tuple[LogState, datetime], ...]


def over(older: LogList, newer: LogList, *, complete: bool = True, spared: frozenset[bytes] = frozenset()) -> LogList:
    """``newer`` laid over ``older``, with the history of both.

    ``complete``: what ``newer`` does not name has left the program. Without it, ``newer`` only speaks of the logs it names, and
    version and date stay those of ``older``. ``spared`` are logs it names unreadably: they stay as they were.
    """
    logs = dict(older.logs)
    for log_id, log in newer.logs.items():
        known = older.logs.get(log_id)
        logs[log_id] = _continued(known, log, newer.timestamp) if known else log
    if not complete:
        return replace(older, logs=logs)
    for log_id in older.logs.keys() - newer.logs.keys() - spared:
        logs[log_id] = _gone(logs[log_id], newer.timestamp)
    return replace(newer, logs=logs, begins=older.begins)


def _continued(known: Log, log: Log, at: datetime) -> Log:
    first = log.states[0][1] if log.states else at
    states = [*((state, since) for state, since in known.states if since < first), *log.states]
    merged = tuple(next(same) for _, same in groupby(states, key=lambda one: one[0]))
    operators = log.operators
    if len(operators) == 1 and known.operators:
        former = tuple((name, until or at) for name, until in known.operators)
        operators = known.operators if known.operator == log.operator else (*former, *operators)
    return replace(log, states=merged, operators=operators)


def _gone(log: Log, at: datetime) -> Log:
    if log.states and (log.states[-1][0] is LogState.REJECTED or log.states[-1][1] >= at):
        return log
    return replace(log, states=(*log.states, (LogState.REJECTED, at)))
