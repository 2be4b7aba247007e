"""Real CT data that lies beside the checkout and is only ever read in place: certificates, log lists, tree heads, tiles."""

import json
import os
from base64 import b64decode
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Log, LogKind, LogList, LogState
from dnscertscan.pki.bundle import read_chain

ROOT = Path(os.environ.get("DNSCERTSCAN_CT_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "ct-data")
REASON = f"the real CT data is not at {ROOT}; DNSCERTSCAN_CT_DATA names its folder (its promises are also tested with an own log)"


def path(name: str) -> Path:
    """A file of the data. A test that asks for one is skipped, and says so, where the data does not lie."""
    if not (ROOT / "MANIFEST.json").is_file():
        pytest.skip(REASON)
    return ROOT / name


def read(name: str) -> bytes:
    return path(name).read_bytes()


def chain(name: str) -> tuple[Certificate, ...]:
    return read_chain(read(name))[0]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def log_from(entry: dict[str, Any], operator: str, kind: LogKind) -> Log:
    """One log of a list in Google's version 3 form."""
    interval = entry.get("temporal_interval")
    past = [(former["name"], moment(former["end_time"])) for former in entry.get("previous_operators", ())]
    return Log(
        b64decode(entry["log_id"]), b64decode(entry["key"]), entry["description"], kind,
        entry.get("url") or entry["submission_url"], entry.get("monitoring_url", ""), entry["mmd"],
        (moment(interval["start_inclusive"]), moment(interval["end_exclusive"])) if interval else None,
        tuple((LogState(name), moment(state["timestamp"])) for name, state in entry["state"].items()), (*past, (operator, None)),
    )


@cache
def log_list(name: str) -> LogList:
    """A dated Chrome list."""
    fields = json.loads(read(f"loglists/{name}"))
    logs = [
        log_from(entry, operator["name"], kind) for operator in fields["operators"]
        for key, kind in (("logs", LogKind.RFC6962), ("tiled_logs", LogKind.STATIC)) for entry in operator.get(key, ())
    ]
    by_id = {log.log_id: log for log in logs}
    return LogList("chrome", fields["version"], moment(fields["log_list_timestamp"]), by_id, name, True)


def dated_lists() -> list[LogList]:
    return [log_list(found.name) for found in sorted(path("loglists").glob("chrome_v3_*.json"))]


@cache
def union() -> LogList:
    """Every log that was in a Chrome list of 2023 to 2026."""
    entries = json.loads(read("loglists/union_2023-2026_112_logs.json"))
    kinds = {"rfc6962": LogKind.RFC6962, "static": LogKind.STATIC}
    logs = [log_from(entry, entry["operator"], kinds[entry["kind"]]) for entry in entries]
    return LogList("union", "", moment("2026-01-03T00:00:00Z"), {log.log_id: log for log in logs}, "union", False)


def bare_log(key: bytes, log_id: bytes, *, kind: LogKind = LogKind.RFC6962, url: str = "") -> Log:
    """A log of which only the key matters."""
    states = ((LogState.USABLE, moment("2010-01-01T00:00:00Z")),)
    return Log(log_id, key, "log", kind, url, url, 86400, None, states, (("Op", None),))
