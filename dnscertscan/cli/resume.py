"""Where the journal of a run lies, what becomes of an unfinished one, and of the run's own when the run is over."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from dnscertscan import __version__
from dnscertscan.errors import DnsCertScanError, ExitStatus, UsageError
from dnscertscan.model.text import visible
from dnscertscan.settings.identity import differences, identity, short_digest
from dnscertscan.settings.load import Loaded
from dnscertscan.store.database import InUseError, remove
from dnscertscan.store.header import Header, is_journal
from dnscertscan.store.journal import Journal
from dnscertscan.store.lock import Lock

_HOMELESS = "neither HOME nor XDG_STATE_HOME is set"
_OLD, _OLDEST = timedelta(hours=1), timedelta(hours=24)
"""From when on a run that is continued tells its age, and when it is too old for that."""
_SKEW = timedelta(minutes=1)
logger = logging.getLogger("dnscertscan")


@dataclass(frozen=True, slots=True)
class _Place:
    """``path`` is None where there is no place at all; one that was not ``named`` by the user is ours to tidy up."""

    path: Path | None
    named: bool

    @property
    def aside(self) -> Path | None:
        return self.path and self.path.with_name(f"{self.path.name}.old")


class Keeper:
    """``with Keeper(...) as keeper``: ``keeper.started`` when the run began; ``begin()``; ``end()`` when all is written."""

    def __init__(self, loaded: Loaded, environment: Mapping[str, str], now: datetime) -> None:
        """With ``resume`` set the journal is opened at once. Raises UsageError: one line that says why it cannot be."""
        asked = loaded.settings.journal
        self._identity = identity(loaded.settings)
        self._place = _Place(asked.path or _default(self._identity, environment), named=asked.path is not None)
        self._lock: Lock | None = None
        self._journal: Journal | None = None
        self.started = now
        if asked.resume:
            with ExitStack() as on_failure:
                on_failure.callback(self._let_go)
                self._journal = self._resumed(now)
                on_failure.pop_all()
            self.started = self._journal.header.started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        """What was not ended stays, to be continued; a journal in which nothing stands is of no use when the run broke off."""
        try:
            if self._journal is not None:
                useless = problem is not None and not self._journal.resumed and not len(self._journal)
                self._journal.close()
                if useless:
                    self._journal.remove()
        finally:
            self._let_go()

    def begin(self) -> Journal:
        """The journal to write to: the one that is continued, or a new one."""
        if self._journal is None:
            self._journal = self._new()
        elif self._journal.resumed:
            held = self._journal
            logger.info("%s: %d of %d targets were observed before", visible(str(held.place)), held.resumed, held.header.targets)
        return self._journal

    def end(self, *, complete: bool) -> None:
        """The run is over; if it was not ``complete``, say how to go on."""
        journal, self._journal = self._journal, None
        if journal is None:
            return
        if complete and not journal.lost:
            journal.end()
        journal.close()
        if journal.lost and not self._place.named:
            journal.remove()
        if journal.lost or journal.place is None:
            return
        if not complete:
            logger.warning("what was seen is in %s: the same command continues with --resume", visible(str(journal.place)))
        elif not self._place.named:
            journal.remove()
            if self._place.aside:
                with suppress(InUseError, OSError):  # what somebody continues, or cannot be touched, stays
                    _remove_unused(self._place.aside)

    @property
    def status(self) -> ExitStatus:
        """A journal that was asked for and could not be written is an output that failed."""
        lost = self._place.named and self._journal is not None and self._journal.lost
        return ExitStatus.INCOMPLETE if lost else ExitStatus.CLEAN

    def make_room(self) -> None:
        """The outputs come next: a journal that could not be written to its end is of no use, and its space may be needed."""
        if self._journal is not None and self._journal.lost and not self._place.named:
            self._journal.remove()

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _resumed(self, now: datetime) -> Journal:
        place = self._place.path
        if place is None:
            raise UsageError(f"--resume: no place for journals is known ({_HOMELESS}); name the journal with --journal")
        shown = visible(str(place))
        try:
            if not place.exists() and not self._place.named:
                raise UsageError(f"no run with these settings waits to be continued (no {shown}); start without --resume")
            if place.is_file():
                self._lock = Lock(place)
            journal = Journal.open(place)
        except OSError as problem:
            raise UsageError(f"{shown}: the journal cannot be read: {problem.strerror}; start without --resume") from problem
        with ExitStack() as on_failure:
            on_failure.callback(journal.close)
            if journal.header.settings != self._identity:
                raise UsageError(f"{shown}: {_other_settings(journal.header.settings, self._identity)}")
            if journal.header.ended:
                raise UsageError(f"{shown}: the run in this journal has ended; start without --resume")
            _check_age(shown, journal.header.started, now)
            on_failure.pop_all()
        return journal

    def _new(self) -> Journal:
        header = Header(self._identity, self.started, __version__)
        place = self._place.path
        try:
            if place is None:
                raise UsageError(_HOMELESS)
            if not self._place.named:
                place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = Lock(place)
            self._make_room(place)
            return Journal.create(place, header)
        except OSError as problem:
            trouble: DnsCertScanError = UsageError(f"{visible(str(place))}: the journal cannot be made: {problem.strerror}")
        except DnsCertScanError as problem:
            trouble = problem
        if self._place.named:
            raise trouble
        logger.warning("this run cannot be resumed: %s", trouble)
        return Journal.create(None, header)

    def _make_room(self, place: Path) -> None:
        """Move what an unfinished run has left out of the way, and say so; what has ended is removed."""
        if not place.exists():
            remove(place)  # what lies beside it
            return
        if place.is_file() and place.stat().st_size == 0:
            return  # a journal can be made in it, unless somebody else is just doing that
        try:
            old = Journal.open(place)
        except InUseError:
            raise
        except UsageError as problem:
            if self._place.named:
                raise
            logger.warning("%s; it was moved to %s", problem, visible(str(self._set_aside(place))))
            return
        seen, header = len(old), old.header
        old.close()
        if header.ended or not seen:
            remove(place)
            return
        logger.warning(
            "a run begun at %s was not finished (%d of %d targets were seen); its journal is kept as %s%s",
            header.started.isoformat(timespec="seconds"), seen, header.targets, visible(str(self._set_aside(place))),
            "" if self._place.named else " until this run ends",
        )

    def _set_aside(self, place: Path) -> Path:
        aside = place.with_name(f"{place.name}.old")
        if self._place.named and aside.exists() and not is_journal(aside):
            raise UsageError(f"{visible(str(aside))} is in the way of an unfinished journal; move it, or use --resume")
        _remove_unused(aside)
        place.rename(aside)
        for ending in ("-wal", "-journal"):
            with suppress(FileNotFoundError):
                Path(f"{place}{ending}").rename(f"{aside}{ending}")
        return aside


def _default(text: str, environment: Mapping[str, str]) -> Path | None:
    home = environment.get("XDG_STATE_HOME") or (f"{environment['HOME']}/.local/state" if environment.get("HOME") else "")
    return Path(home) / "dnscertscan" / f"{short_digest(text)}.journal" if home else None


def _remove_unused(place: Path) -> None:
    if place.exists():
        lock = Lock(place)
        try:
            remove(place)
        finally:
            lock.release()


def _check_age(shown: str, started: datetime, now: datetime) -> None:
    """What is continued is judged at the time it began: that must still tell what is the case now."""
    age, began = now - started, started.isoformat(timespec="seconds")
    if age < -_SKEW or age > _OLDEST:
        when = f"more than {_hours(_OLDEST)} ago" if age > _OLDEST else "in the future (did the clock go back?)"
        raise UsageError(
            f"{shown}: the run in this journal began at {began}, {when}, and would be judged at that time; start without --resume"
        )
    if age > _OLD:
        logger.warning("%s: this run began %s ago, at %s, and all of it is judged at that time", shown, _hours(age), began)


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):.3g} hours"


def _other_settings(before: str, now: str) -> str:
    try:
        keys = differences(before, now)
    except (ValueError, AttributeError):
        keys = []
    named = visible(", ".join(keys[:5])) or "which cannot be read"
    return f"this journal is of a run with other settings ({named}); resume with those, or start without --resume"
