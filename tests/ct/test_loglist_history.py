"""Lists laid over each other keep the history: states with dates, operators, and logs that vanished."""

from servers.log_lists import NOW, document, entry, log_id, moment

from dnscertscan.ct.loglist_guards import Seal, examine
from dnscertscan.ct.loglist_history import over
from dnscertscan.model.ct import Log, LogList, LogState


def listed(day: str, *entries: dict, operator: str = "House") -> LogList:
    """A list of that day."""
    raw = document(list(entries), timestamp=f"{day}T00:00:00Z").replace(b'"House", "email"', f'"{operator}", "email"'.encode())
    found = examine(raw, day, Seal(waived=True), NOW).log_list
    assert found
    return found


def states(log: Log) -> list[tuple[str, str]]:
    return [(state.value, f"{since:%Y-%m-%d}") for state, since in log.states]


def test_states_follow_each_other() -> None:
    """Qualified, usable, readonly out of three lists; the same state told twice is one."""
    found = listed("2026-02-01", entry(1, status="qualified", since="2026-01-10T00:00:00Z"))
    for day, status, since in (("2026-03-01", "usable", "2026-02-20"), ("2026-04-01", "usable", "2026-02-20"),
                               ("2026-05-01", "readonly", "2026-04-15")):
        found = over(found, listed(day, entry(1, status=status, since=f"{since}T00:00:00Z")))
    log = found.logs[log_id(1)]
    assert states(log) == [("qualified", "2026-01-10"), ("usable", "2026-02-20"), ("readonly", "2026-04-15")]
    assert found.timestamp == moment("2026-05-01")
    assert log.state_at(moment("2026-03-15")) is LogState.USABLE
    assert log.state_at(moment("2026-01-09")) is None


def test_a_date_is_put_right() -> None:
    """A later list that dates the present state earlier is believed: what it contradicts goes."""
    found = listed("2026-02-01", entry(1, status="qualified", since="2026-01-10T00:00:00Z"))
    found = over(found, listed("2026-03-01", entry(1, since="2026-01-05T00:00:00Z")))
    assert states(found.logs[log_id(1)]) == [("usable", "2026-01-05")]


def test_a_log_that_vanishes_and_returns() -> None:
    """Rejected from the first list without it, once; when it returns, it never was away."""
    first = listed("2026-02-01", entry(1), entry(2))
    second = over(first, listed("2026-03-01", entry(2)))
    third = over(second, listed("2026-04-01", entry(2)))
    assert states(third.logs[log_id(1)]) == [("usable", "2026-01-01"), ("rejected", "2026-03-01")]
    assert third.as_of(moment("2026-02-15")).logs[log_id(1)].state_at(moment("2026-02-15")) is LogState.USABLE
    again = over(third, listed("2026-05-01", entry(1), entry(2)))
    assert states(again.logs[log_id(1)]) == [("usable", "2026-01-01")]


def test_a_list_that_speaks_of_some_logs_only() -> None:
    """What it does not name stays as it was, and so do version and date."""
    partial = listed("2026-06-01", entry(2, status="retired"), entry(3))
    found = over(listed("2026-02-01", entry(1), entry(2)), partial, complete=False)
    assert [states(found.logs[log_id(number)])[-1][0] for number in (1, 2, 3)] == ["usable", "retired", "usable"]
    assert found.timestamp == moment("2026-02-01")


def test_a_log_named_but_not_readable() -> None:
    """An entry that could not be read is no sign that the log is gone."""
    first = listed("2026-02-01", entry(1), entry(2), entry(3))
    raw = document([entry(1), entry(2, mmd="soon")], timestamp="2026-03-01T00:00:00Z")
    examined = examine(raw, "x", Seal(waived=True), NOW)
    assert examined.log_list
    found = over(first, examined.log_list, spared=examined.left_out)
    assert [states(found.logs[log_id(number)])[-1][0] for number in (1, 2, 3)] == ["usable", "usable", "rejected"]


def test_operators() -> None:
    """A log that changes hands is its former operator's until the list says otherwise; what a list says of former ones wins."""
    found = over(listed("2026-02-01", entry(1)), listed("2026-03-01", entry(1), operator="Other"))
    found = over(found, listed("2026-04-01", entry(1), operator="Other"))
    log = found.logs[log_id(1)]
    assert log.operators == (("House", moment("2026-03-01")), ("Other", None))
    assert (log.operator_at(moment("2026-02-15")), log.operator) == ("House", "Other")
    assert found.as_of(moment("2026-02-15")).logs[log_id(1)].operators == (("House", None),)
    told = entry(1, previous_operators=[{"name": "House", "end_time": "2026-02-10T00:00:00Z"}])
    found = over(found, listed("2026-05-01", told, operator="Other"))
    assert found.logs[log_id(1)].operators == (("House", moment("2026-02-10")), ("Other", None))


def test_unknown_states() -> None:
    """A log without any state that is known keeps its history, and may vanish like others."""
    odd = entry(1, state={"frozen": {"timestamp": "2026-02-20T00:00:00Z"}})
    found = over(listed("2026-02-01", entry(1)), listed("2026-03-01", odd, entry(2)))
    assert states(found.logs[log_id(1)]) == [("usable", "2026-01-01")]
    found = over(listed("2026-02-01", odd, entry(2)), listed("2026-03-01", entry(2)))
    assert states(found.logs[log_id(1)]) == [("rejected", "2026-03-01")]
