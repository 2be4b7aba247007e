"""Find, read and validate a configuration; say for every value where it came from."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from dnscertscan.errors import ConfigError, UsageError
from dnscertscan.model.text import visible
from dnscertscan.settings.locate import key_lines
from dnscertscan.settings.models import PLACES_ON_DISK, Settings
from dnscertscan.settings.openfile import open_file

_KeyPath = tuple[str, ...]
_MAX_FILE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings in force. ``origins`` maps a dotted key to ``FILE:LINE`` or ``command line``; a key not in it has its default."""

    settings: Settings
    path: Path | None
    origins: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of the settings in force: equal settings, equal digest. Secrets are references and so not in it.

        Whether a run is continued is no part of it: the continued run's report is the report of the run.
        """
        return sha256(self.settings.model_dump_json(exclude={"journal"}).encode()).hexdigest()


def candidates(environment: Mapping[str, str], home: Path | None) -> tuple[Path, ...]:
    """Where a configuration is looked for when none is named; the first that exists is used. Without a home, not there."""
    xdg = environment.get("XDG_CONFIG_HOME") or (home / ".config" if home else None)
    personal = (Path(xdg) / "dnscertscan" / "config.toml",) if xdg else ()
    return (Path("dnscertscan.toml"), *personal, Path("/etc/dnscertscan/config.toml"))


def _is_there(place: Path) -> bool:
    """Whether a file can be seen there; a folder this user may not enter has no configuration of his."""
    try:
        return place.is_file()
    except OSError:
        return False


def load(path: Path | None, options: Mapping[str, Any], environment: Mapping[str, str], home: Path | None) -> Loaded:
    """Read the configuration (or none) and lay the command line's values (dotted key -> value) over it."""
    found = path or next((place for place in candidates(environment, home) if _is_there(place)), None)
    text = _read(found) if found else ""
    data = _parse(found, text) if found else {}
    lines = key_lines(text)
    origins = {".".join(key): f"{found}:{line}" for key, line in lines.items()}
    _resolve_paths(data, found)
    for key, given in options.items():
        value = _as_configured(given, data.get("ct")) if key == "ct.search" else given
        _set(data, key.split("."), value)
        origins = {name: place for name, place in origins.items() if not (name + ".").startswith(key + ".")}
        origins[key] = "command line"
    try:
        return Loaded(Settings.model_validate(data), found, origins)
    except ValidationError as problem:
        raise _explain(problem, found, lines, options) from problem


def _read(path: Path) -> str:
    try:
        with open_file(path) as handle:
            octets = handle.read(_MAX_FILE + 1)
        if len(octets) > _MAX_FILE:
            raise ConfigError(f"{path}: larger than {_MAX_FILE} octets; this is no configuration file")
        return octets.decode("utf-8")
    except OSError as problem:
        raise ConfigError(f"{path}: cannot read the configuration: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{path}: not UTF-8 text (octet {problem.start}); save it as UTF-8") from problem


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{path}: not valid TOML: {problem}") from problem


def _resolve_paths(data: dict[str, Any], found: Path | None) -> None:
    """What a configuration names (zones, CA files, log lists, cache, journal) is relative to it: it works from any folder."""
    if found is None:
        return
    base = found.parent
    zones, trust = data.get("zones"), data.get("trust")
    for entry in zones if isinstance(zones, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            entry["path"] = str(base / Path(entry["path"]).expanduser())
    ct = data.get("ct")
    single = tuple((ct, key) for key in ("log_list", "log_list_signature", "log_list_key", "cache"))
    for table, key in ((data.get("revocation"), "cache"), (data.get("journal"), "path"), *single):
        if isinstance(table, dict) and isinstance(table.get(key), str):
            table[key] = str(base / Path(table[key]).expanduser())
    for table, key in ((trust, "ca_files"), (ct, "known"), (ct, "issuers")):
        if isinstance(table, dict) and isinstance(table.get(key), list):
            table[key] = [_beside(base, item) if isinstance(item, str) else item for item in table[key]]
    searches = ct.get("search") if isinstance(ct, dict) else None
    for entry in searches if isinstance(searches, list) else ():
        if isinstance(entry, dict) and entry.get("kind") in PLACES_ON_DISK and entry.get("place"):
            entry["place"] = _beside(base, str(entry["place"]))


def _beside(base: Path, text: str) -> str:
    """A path below the folder of the configuration; what is no path stays."""
    return text if text.lower().startswith("sha256:") else str(base / Path(text).expanduser())


def _as_configured(given: Sequence[Mapping[str, Any]], ct: object) -> list[dict[str, Any]]:
    """Search services of the command line, with token, pace and place of the configuration's entry for the same service."""
    found = ct.get("search") if isinstance(ct, dict) else None
    known = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []

    def same(one: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [entry for entry in known if entry.get("kind") == one["kind"] and one["place"] in ("", entry.get("place"))]

    return [next(iter(same(one)), dict(one)) for one in given]


def _set(data: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    for key in keys[:-1]:
        below = data.setdefault(key, {})
        if not isinstance(below, dict):
            return  # the file's own fault; validation names it
        data = below
    data[keys[-1]] = value


def _explain(
    problem: ValidationError, path: Path | None, lines: Mapping[_KeyPath, int], options: Mapping[str, Any]
) -> UsageError:
    """All problems in one message, one line each: ``file:line: key: text (did you mean ...)``."""
    return_type = UsageError if path is None else ConfigError
    return return_type("\n".join(_lines(problem, path, lines, options)))


def _lines(
    problem: ValidationError, path: Path | None, lines: Mapping[_KeyPath, int], options: Mapping[str, Any]
) -> Iterator[str]:
    errors = problem.errors(include_url=False)
    for error in errors:
        if any(other["loc"][: len(error["loc"])] == error["loc"] and other is not error for other in errors):
            continue  # a list that is too short because its only item was refused: the item's own line says it all
        place = tuple(str(part) for part in error["loc"] if part not in ("json", "axfr") or error["loc"].index(part) != 2)
        key = ".".join(place)
        text = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            text = f"unknown key{_hint(place)}"
        given = next((option for option in options if (key + ".").startswith(option + ".")), None)
        where = "command line" if given or path is None else f"{path}:{_line(place, lines)}"
        yield f"{where}: {visible(key, 120)}: {visible(text, 300)}"


def _line(place: _KeyPath, lines: Mapping[_KeyPath, int]) -> int:
    """The line of the key, or of the nearest table above it."""
    return next((lines[place[:size]] for size in range(len(place), 0, -1) if place[:size] in lines), 1)


def _hint(place: _KeyPath) -> str:
    known = _fields_at(place[:-1])
    near = get_close_matches(place[-1], known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(known)}" if known else ""


def _fields_at(place: _KeyPath) -> tuple[str, ...]:
    models: list[type[BaseModel]] = [Settings]
    for part in (part for part in place if not part.isdigit()):
        models = [model for parent in models for model in _models_of(parent, part)]
    return tuple(dict.fromkeys(name for model in models for name in model.model_fields))


def _models_of(parent: type[BaseModel], name: str) -> Iterator[type[BaseModel]]:
    field = parent.model_fields.get(name)
    pending: list[Any] = [field.annotation] if field else []
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind
        else:
            pending.extend(getattr(kind, "__args__", ()))
