"""Lists of logs are read in three formats, entry by entry; whatever is in them, something comes out."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from servers import ct_data
from servers.log_lists import b64, document, entry, log_id, moment, spki

from dnscertscan.ct.loglist_formats import FORMAT, MAX_LOGS, MAX_OCTETS, read, write
from dnscertscan.ct.loglist_values import Draft, Objection, Shape, Weight
from dnscertscan.model.ct import LogKind, LogList, LogState

START, END = "start_inclusive", "end_exclusive"
INTERVAL = {"start_inclusive": "2027-01-01T00:00:00Z", "end_exclusive": "2028-01-01T00:00:00Z"}


def draft(raw: bytes) -> Draft:
    found = read(raw)
    assert isinstance(found, Draft), found
    return found


def refusal(raw: bytes) -> str:
    found = read(raw)
    assert isinstance(found, Objection), found
    assert found.weight is Weight.REFUSED
    assert found.step
    return found.problem


def test_both_kinds_of_logs() -> None:
    """RFC 6962 and static-ct logs with all that a list says of them."""
    past = [{"name": "Second", "end_time": "2026-06-01T00:00:00Z"}, {"name": "First", "end_time": "2025-06-01T00:00:00Z"}]
    found = draft(document([entry(1, previous_operators=past)], tiled=[entry(2, tiled=True, status="qualified")]))
    assert (found.shape, found.version, found.timestamp) == (Shape.GOOGLE, "1.2", moment("2027-02-20T12:00"))
    assert found.objections == ()
    classic, static = found.logs
    assert (classic.kind, classic.url, classic.monitoring_url, classic.mmd) == (LogKind.RFC6962, "https://ct.test/1/", "", 86400)
    assert (static.kind, static.url, static.monitoring_url) == (LogKind.STATIC, "https://log2.ct.test/", "https://mon2.ct.test/")
    assert [name for name, _ in classic.operators] == ["First", "Second", "House"]
    assert classic.operator_at(moment("2025-07-01")) == "Second"
    assert classic.interval == (moment("2027-01-01"), moment("2028-01-01"))
    assert static.states == ((LogState.QUALIFIED, moment("2026-01-01")),)


def test_real_lists() -> None:
    """Every dated real list gives what another reader makes of it, but for the URLs of placeholders."""
    for real in ct_data.dated_lists():
        found = draft(ct_data.read(f"loglists/{real.source}"))
        assert (found.version, found.timestamp, len(found.logs)) == (real.version, real.timestamp, len(real.logs))
        for log in found.logs:
            if log.url:
                assert log == real.logs[log.log_id]
            else:
                assert "Bogus" in log.description


def test_apple() -> None:
    """Apple's list has asset versions, states with versions, and no date: that of its latest state stands in."""
    raw = json.loads(document([entry(1), entry(2, status="rejected", since="2026-09-09T09:09:09Z")], version=None))
    del raw["log_list_timestamp"]
    raw |= {"assetVersion": 32, "assetVersionV2": 1013, "$schema": "https://apple.test/v5.json"}
    raw["operators"][0]["logs"][0]["state"]["usable"]["version"] = "500"
    found = draft(json.dumps(raw).encode())
    assert (found.shape, found.version, len(found.logs)) == (Shape.APPLE, "1013", 2)
    assert found.timestamp == datetime(2026, 9, 9, 9, 9, 9, tzinfo=UTC)
    del raw["operators"][0]["logs"][:]
    assert "no log in it has a state" in refusal(json.dumps(raw).encode())


def test_own_format_round_trip() -> None:
    """What is written is read as the same; one line for each log."""
    past = [{"name": "First", "end_time": "2025-06-01T00:00:00Z"}]
    logs = draft(document([entry(1, previous_operators=past, description="\u202e \"quoted\""), entry(3, temporal_interval=None)],
                          tiled=[entry(2, tiled=True)])).logs
    mine = LogList("own", "7", moment("2027-01-01"), {log.log_id: log for log in logs}, "here", signed=False)
    text = write(mine, {"about": "ours"})
    assert sum("log_id" in line for line in text.splitlines()) == 3
    found = draft(text.encode())
    assert (found.shape, found.version, found.timestamp, found.objections) == (Shape.OWN, "7", mine.timestamp, ())
    assert {log.log_id: log for log in found.logs} == mine.logs


LEFT_OUT = {
    "no key": ({"key": None}, "key is missing"),
    "key no base64": ({"key": "!!"}, "key is no base64"),
    "key cut off": ({"key": b64(b"\x30\x10short")}, "its key cannot be loaded"),
    "key on another curve": ({"key": b64(spki(ec.derive_private_key(5, ec.SECP384R1())))}, "neither ECDSA on P-256 nor RSA"),
    "weak RSA key": ({"key": b64(spki(rsa.generate_private_key(65537, 1024)))}, "neither ECDSA on P-256 nor RSA"),
    "log_id too short": ({"log_id": b64(b"short")}, "log_id has 5 octets, 32 are due"),
    "log_id url-safe": ({"log_id": b64encode(b"\xff" * 32, b"-_").decode()}, "log_id is no base64"),
    "interval backwards": ({"temporal_interval": {START: INTERVAL[END], END: INTERVAL[START]}}, "before it starts"),
    "interval empty": ({"temporal_interval": dict.fromkeys(INTERVAL, "2027-01-01T00:00:00Z")}, "before it starts"),
    "interval without offset": ({"temporal_interval": {**INTERVAL, "end_exclusive": "2028-01-01"}}, "no offset from UTC"),
    "interval no object": ({"temporal_interval": 5}, "temporal_interval is no object"),
    "interval without end": ({"temporal_interval": {START: INTERVAL[START]}}, "end of its interval is missing"),
    "mmd negative": ({"mmd": -1}, "mmd is no number of seconds"),
    "mmd true": ({"mmd": True}, "mmd is no number of seconds"),
    "mmd a text": ({"mmd": "60"}, "mmd is no number of seconds"),
    "state a text": ({"state": "usable"}, "state is no object"),
    "former operators": ({"previous_operators": [{"name": "x"}]}, "end_time is missing"),
    "description endless": ({"description": "x" * 1000}, "description is no text"),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_a_bad_entry_costs_itself(case: str) -> None:
    """The log is left out with its name and the reason; its neighbour is there."""
    changed, words = LEFT_OUT[case]
    found = draft(document([entry(1, **changed), entry(2)]))
    assert [log.log_id for log in found.logs] == [log_id(2)]
    (objection,) = found.objections
    assert objection.weight is Weight.LEFT_OUT
    assert words in objection.problem
    assert objection.step
    assert str(objection).isprintable()


NOTES = {
    "unknown state": ({"state": {"frozen": {"timestamp": "2027-01-01T00:00:00Z"}}}, "state frozen is unknown"),
    "state without a time": ({"state": {"usable": {}}}, "time of its state usable is missing"),
    "placeholder": ({"url": "https://ct.example.com/bogus/"}, "placeholder"),
    "no scheme": ({"url": "ct.test/log/"}, "its URL cannot be used"),
    "no URL": ({"url": None}, "its URL cannot be used"),
    "another scheme": ({"url": "file:///etc/passwd"}, "its URL cannot be used"),
    "user information": ({"url": "https://a@ct.test/"}, "its URL cannot be used"),
    "control characters": ({"url": "https://ct.test/\r\nX: y"}, "its URL cannot be used"),
    "bad port": ({"url": "https://ct.test:99999/"}, "its URL cannot be used"),
}


@pytest.mark.parametrize("case", NOTES)
def test_what_is_made_harmless(case: str) -> None:
    """A log with an odd state counts for no policy, one with an odd URL is never polled; the key stays good for checking SCTs."""
    changed, words = NOTES[case]
    found = draft(document([entry(1, **changed)]))
    (log,), (objection,) = found.logs, found.objections
    assert objection.weight is Weight.NOTE
    assert words in objection.problem
    assert (log.url == "") is ("url" in changed)
    assert (log.states == ()) is ("state" in changed)


def test_placeholders_of_the_real_list_have_no_url() -> None:
    """The two bogus logs in Google's list cannot be polled by anybody."""
    found = draft(ct_data.read("loglists/chrome_v3_2026-01-03.json"))
    bogus = [log for log in found.logs if "Bogus" in log.description]
    assert [(log.url, log.monitoring_url) for log in bogus] == [("", "")] * 2
    assert all(log.url for log in found.logs if log not in bogus)


REFUSED = {
    "empty": (b"  \n", "it is empty"),
    "html": (b"\n<!DOCTYPE html><html>502</html>", "it is an HTML page"),
    "cut off": (document([entry(1)])[:-20], "not JSON, or cut off"),
    "no utf-8": (b'{"a": "\xff\xfe"}', "not JSON"),
    "deep": (b"[" * 100_000, "not JSON"),
    "array": (b"[]", "it is no list of logs"),
    "other JSON": (b'{"logs": []}', "it is no list of logs"),
    "endless number": (b'{"operators": ' + b"1" * 10_000 + b"}", "not JSON"),
    "too long": (b" " * (MAX_OCTETS + 1), f"at most {MAX_OCTETS} are read"),
    "no date": (document([entry(1)], log_list_timestamp=None), "log_list_timestamp is missing"),
    "date without offset": (document([entry(1)], timestamp="2027-01-01T00:00:00"), "no offset"),
    "date beyond the calendar": (document([entry(1)], timestamp="0001-01-01T00:00:00+23:00"), "is no time"),
    "operator no object": (document([], operators=[3]), "an operator in it is no object"),
    "logs no list": (document([], operators=[{"name": "x", "logs": {"a": 1}}]), "logs of operator x is no list"),
    "too many logs": (document([{}] * (MAX_LOGS + 1)), f"more than {MAX_LOGS} logs"),
    "version a number": (document([entry(1)], version=3), "version is no text"),
    "own without logs": (json.dumps({"format": FORMAT, "timestamp": "2027-01-01T00:00:00Z"}).encode(), "logs is no list"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_list(case: str) -> None:
    """One refusal with the cause."""
    raw, words = REFUSED[case]
    assert words in refusal(raw)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["log_id", "key", "state", "mmd", "url", "temporal_interval", "previous_operators", "kind", "states",
                         "operators", "interval", "usable", "timestamp", "name", "logs"]), inner, max_size=4), max_leaves=12))
def test_hostile_entries_never_crash(value: object) -> None:
    """Any JSON in the place of operators, a log, or a field is a draft or a refusal."""
    for raw in (
        {"operators": value, "log_list_timestamp": "2027-01-01T00:00:00Z"}, {"operators": [value], "assetVersion": value},
        {"operators": [{"logs": [value], "tiled_logs": [value]}], "log_list_timestamp": "2027-01-01T00:00:00Z"},
        {"format": FORMAT, "timestamp": "2027-01-01T00:00:00Z", "logs": [value]},
        {"operators": [{"logs": [{**entry(1), "state": value, "temporal_interval": value, "previous_operators": value}]}],
         "log_list_timestamp": "2027-01-01T00:00:00Z"},
        {"format": FORMAT, "timestamp": "2027-01-01T00:00:00Z", "logs": [
            {**entry(1), "kind": "rfc6962", "states": value, "operators": [["x", None]], "interval": value}]},
    ):
        assert isinstance(read(json.dumps(raw).encode()), (Draft, Objection))
