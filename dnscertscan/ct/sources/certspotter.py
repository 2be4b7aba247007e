"""The state directory of a certspotter on this machine: what it found in the logs. Nothing is sent anywhere."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dnscertscan.ct.aside import aside
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_reading import (
    Problems,
    concerns,
    digest_of,
    moment_of,
    read_certificate,
    read_names,
)
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Verdict, unavailable
from dnscertscan.model.text import visible
from dnscertscan.pki.bundle import read_chain
from dnscertscan.pki.parse import parse
from dnscertscan.pki.signatures import verify

NAME = "certspotter"
_MAX_FILES, _MAX_OCTETS, _MAX_LOGS = 200_000, 1 << 20, 1000
_LEFT = timedelta(days=30)
_KEPT = "what certspotter found for its watch list since it runs"


class CertSpotter:
    """``folder`` is the state directory (``certs``, ``logs``, ``version``).

    What it means: a certificate there is *found*. None is *absent*, never complete: certspotter sees what is on its watch list
    and what was logged since it was started; ``as_of`` is when it last read the log with success that is behind most. A folder
    that is none, cannot be read or holds more than is read is no answer.
    """

    name = NAME
    outside = False

    def __init__(self, means: Means, folder: str, token: str = "", per_minute: float | None = None) -> None:  # noqa: ARG002 - the same for all sources
        self._folder, self._means = Path(folder).expanduser(), means
        self._found: _Found | None = None

    async def search(self, domain: DnsName, since: datetime | None = None) -> SearchResult:
        """See :class:`~dnscertscan.ct.search_values.Source`. The folder is read once."""
        try:
            if self._found is None:
                self._found = await aside(lambda: _read_folder(self._folder))
        except OSError as error:
            where = visible(str(error.filename or self._folder), 200)
            why = visible(error.strerror or str(error), 100)
            return unavailable(NAME, domain, f"{where}: {why}; is this certspotter's state directory?")
        found = self._found
        issuances = tuple(one for one in found.issuances if concerns(one.names, domain))
        result = SearchResult(
            NAME, domain, Verdict.FOUND if issuances else Verdict.ABSENT, issuances, found.as_of, complete=False,
            truncated=found.truncated, reason=_KEPT, problems=found.problems,
        )
        if found.truncated:
            result = replace(result, reason=f"more than {_MAX_FILES} files, the others were not read")
            result = replace(result, verdict=result.verdict if issuances else Verdict.UNAVAILABLE)
        return result.since(since)

    async def aclose(self) -> None:
        """Forget what was read."""
        self._found = None


@dataclass(frozen=True, slots=True)
class _Found:
    issuances: tuple[Issuance, ...]
    as_of: datetime | None
    truncated: bool
    problems: tuple[str, ...]


def _read_folder(folder: Path) -> _Found:
    """Everything in it, in a thread; raises OSError when it is not there."""
    if not (folder / "logs").is_dir() and not (folder / "certs").is_dir():
        raise FileNotFoundError(2, "neither certs nor logs in it", str(folder))
    problems = Problems()
    issuances: list[Issuance] = []
    for count, path in enumerate(_files(folder / "certs")):
        if count >= _MAX_FILES:
            return _Found(tuple(issuances), _last_success(folder / "logs"), True, problems.lines)
        try:
            found = _read_pair(path, problems)
        except OSError as error:
            problems.add(path.name, error.strerror or str(error))
            continue
        if found is not None:
            issuances.append(found)
    return _Found(tuple(issuances), _last_success(folder / "logs"), False, problems.lines)


def _files(certs: Path) -> Iterator[Path]:
    """certs/xx/HASH.pem, in the order of their names."""
    if not certs.is_dir():
        return
    for part in sorted(certs.iterdir()):
        if part.is_dir() and len(part.name) == 2:
            yield from (path for path in sorted(part.iterdir()) if path.suffix == ".pem" and not path.name.startswith("."))


def _read_pair(path: Path, problems: Problems) -> Issuance | None:
    """The chain in a file, with what certspotter wrote about it beside it (it reads names that we may not)."""
    chain, lines = read_chain(_bounded(path))
    said = _json(path.with_suffix(".v1.json"))
    seen = _seen(path, problems)
    found = read_certificate(chain[0].der, NAME, seen) if chain else None
    if found is None:
        problems.add(path.name, lines[0] if lines else "its certificate cannot be read")
        return _from_json(said, path, seen, problems)
    listed = said.get("dns_names")
    names = read_names(listed if isinstance(listed, list) else (), path.name, problems)
    spki = _issuer_key(chain) if len(chain) > 1 else None
    return replace(found, names=tuple(dict.fromkeys((*found.names, *names))), issuer_spki_sha256=spki)


def _from_json(said: Mapping[str, object], path: Path, seen: datetime | None, problems: Problems) -> Issuance | None:
    identity, listed = digest_of(said, "tbs_sha256"), said.get("dns_names")
    if identity is None:
        return None
    names = read_names(listed if isinstance(listed, list) else (), path.name, problems)
    return Issuance(
        identity, None, None, "", "", "", names, moment_of(said, "not_before"), moment_of(said, "not_after"),
        digest_of(said, "pubkey_sha256"), NAME, seen, None, False,
    )


def _seen(path: Path, problems: Problems) -> datetime | None:
    """When certspotter wrote the file; a file system may have any number there."""
    seconds = path.stat().st_mtime
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        problems.add(path.name, "the time of the file is beyond all calendars")
        return None


def _issuer_key(chain: tuple[Certificate, ...]) -> str | None:
    """Digest of the key that signed the first certificate, if it is that of the second one."""
    leaf, issuer = parse(chain[0]), parse(chain[1])
    if issuer.problem or not issuer.key.spki or not verify(issuer.key, leaf.algorithm, leaf.signature, leaf.signed):
        return None
    return issuer.key.digest.hex()


def _last_success(logs: Path) -> datetime | None:
    """When the log was last read with success that was not read for the longest time: up to then nothing is missing.

    A log that has left certspotter's list is not read any more, and its folder stays: one that is far behind the others.
    """
    moments = []
    try:
        for number, folder in enumerate(sorted(logs.iterdir())):
            if number >= _MAX_LOGS:
                break
            moment = moment_of(_json(folder / "state.json"), "last_success")
            moments += [moment] if moment else []
    except OSError:
        return None
    return min((moment for moment in moments if max(moments) - moment < _LEFT), default=None)


def _json(path: Path) -> Mapping[str, object]:
    """An object in a file; empty when there is none."""
    try:
        found = json.loads(_bounded(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _bounded(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(_MAX_OCTETS)
