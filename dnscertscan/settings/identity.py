"""Which settings make a run the run it is: what is scanned, and what counts as a finding. Pace and outputs do not."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from dnscertscan.settings.models import PLACES_ON_DISK, Ct, JsonZones, Settings

_ELSEWHERE: Mapping[str, Any] = {
    "output": True, "log": True, "journal": True, "exporter": True, "resolve": {"in_flight"},
    "scan": {"deadline", "concurrency", "per_address", "per_network", "rate", "workers"},
    "ct": {"budget": True, "log_budget": True, "cache": True, "search": {"__all__": {"token", "per_minute"}}},
}
"""What a run may be continued with differently."""


def identity(settings: Settings) -> str:
    """The settings that matter as canonical text; paths are absolute, since two folders may have a ``zones.json`` each."""
    zones = [
        entry.model_copy(update={"path": _absolute(entry.path)}) if isinstance(entry, JsonZones) else entry
        for entry in settings.zones
    ]
    trust = settings.trust.model_copy(update={"ca_files": tuple(map(_absolute, settings.trust.ca_files))})
    whole = settings.model_copy(update={"zones": tuple(zones), "trust": trust, "ct": _placed(settings.ct)})
    return json.dumps(whole.model_dump(mode="json", exclude=_ELSEWHERE), sort_keys=True, separators=(",", ":"))


def _placed(ct: Ct) -> Ct:
    """The same with absolute paths."""
    lists = {key: _absolute(path) for key in ("log_list", "log_list_signature", "log_list_key") if (path := getattr(ct, key))}
    search = tuple(
        one.model_copy(update={"place": str(_absolute(Path(one.place)))}) if one.kind in PLACES_ON_DISK and one.place else one
        for one in ct.search
    )
    issuers = tuple(text if text.startswith("sha256:") else str(_absolute(Path(text))) for text in ct.issuers)
    return ct.model_copy(update={**lists, "known": tuple(map(_absolute, ct.known)), "issuers": issuers, "search": search})


def short_digest(text: str) -> str:
    """16 hexadecimal digits that name an identity in a file's name."""
    return sha256(text.encode()).hexdigest()[:16]


def differences(before: str, now: str) -> list[str]:
    """The dotted keys that two identities do not have in common."""
    first, second = (dict(_flat(json.loads(text))) for text in (before, now))
    return [key for key in sorted({*first, *second}) if first.get(key) != second.get(key)]


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()
