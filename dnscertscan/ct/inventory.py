"""The inventory: what CT has for our domains against what lies in our folders, and what a person has decided about the rest."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from dnscertscan.ct.audit_issuers import Pins
from dnscertscan.ct.inventory_judge import Expected, judge
from dnscertscan.ct.inventory_review import learn, read_reviewed
from dnscertscan.ct.inventory_search import Scope, ask, scope, undecided, unseen
from dnscertscan.ct.inventory_store import InventoryStore
from dnscertscan.ct.inventory_values import Item, Report
from dnscertscan.ct.known import Local, read_local
from dnscertscan.ct.search import Wanted
from dnscertscan.ct.sources import certspotter
from dnscertscan.errors import DnsCertScanError, UsageError
from dnscertscan.model.sightings import Sightings
from dnscertscan.model.text import visible

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. ``budget`` is seconds for all searches, ``cache`` the file of their answers (None: kept nowhere)."""

    paths: Sequence[Path]
    domains: Sequence[str]
    wanted: Sequence[Wanted]
    pins: Pins
    database: Path
    accept: Path | None = None
    learn: Path | None = None
    learn_days: int = 90
    grace: timedelta = timedelta(hours=24)
    budget: float = 120.0
    cache: Path | None = None


class Inventory:
    """One run, in the order of its methods. ``tell`` takes lines for a person, safe to show."""

    def __init__(self, plan: Plan, clock: Callable[[], datetime], environment: Mapping[str, str], tell: Tell) -> None:
        self._plan, self._clock, self._environment, self._tell = plan, clock, environment, tell

    def run(self, person: Callable[[Sequence[Item], InventoryStore], None] | None = None) -> Report:
        """The whole of it; ``person`` is asked about what needs one. Raises what cannot be worked with, as DnsCertScanError."""
        plan, at, notes = self._plan, self._clock(), list[str]()
        same = plan.accept is not None and plan.accept == plan.learn
        lost: list[str] = []
        reviewed = read_reviewed(plan.accept, notes.append, may_miss=same, at=at) if plan.accept else ()
        local = self._local(notes)
        asked = scope(plan.domains, local)
        with InventoryStore(plan.database, at) as store:
            found = asyncio.run(
                ask(asked.asked, plan.wanted, self._environment, plan.budget, self._clock, plan.cache, self._tell)
            )
            expected = Expected(
                local, plan.pins, store.remembered(), (*reviewed, *store.decisions()), plan.grace, store.first_met()
            )
            items = judge(found, asked.meant, expected, at)
            with _reported(lost):
                store.note(items, at)
            if person and any(item.needs_a_person for item in items):
                person(items, store)
                items = judge(found, asked.meant, replace(expected, decisions=(*reviewed, *store.decisions())), at)
                with _reported(lost):
                    store.note(items, at)
            if plan.learn:
                with _reported(lost):
                    notes.append(self._learn(plan.learn, items, at))
        report = _report(items, found, asked, local, at, notes)
        return replace(report, undecided=(*dict.fromkeys(lost), *report.undecided))

    def _local(self, notes: list[str]) -> Local:
        spared = [Path(one.place) for one in self._plan.wanted if one.kind == certspotter.NAME and one.place]
        local = read_local(self._plan.paths, notes.append, spared=spared)
        if not local.known.keys and not local.known.issuances:
            why = next((f"; {line}" for line in (*local.lost, *notes)), "")
            raise UsageError(f"no certificate, key or CSR was found in what was named, so all of CT would be unknown{why}")
        return local

    def _learn(self, path: Path, items: Sequence[Item], at: datetime) -> str:
        new = learn(path, items, at + timedelta(days=self._plan.learn_days), at)
        what = f"{new} new {'entry' if new == 1 else 'entries'} to review" if new else "nothing new to learn"
        return f"{path}: {what}; what you mark as accepted there counts with --accept {path}"


@contextmanager
def _reported(lost: list[str]) -> Iterator[None]:
    """What cannot be kept is a line of the report: the alarms that were found already weigh more."""
    try:
        yield
    except DnsCertScanError as problem:
        lost.append(str(problem))


def _report(
    items: Sequence[Item], found: Sightings, asked: Scope, local: Local, at: datetime, notes: Sequence[str]
) -> Report:
    counted = {
        "certificates": len(local.certificates), "keys": len(local.known.keys), "ca_certificates": len(local.issuers),
    }
    left_out = [f"{name.display} is not asked for: {why}" for name, why in asked.asked.left_out]
    return Report(
        at, tuple(items), tuple(dict.fromkeys(domain.display for domain in asked.meant)), found.answers,
        (*local.missing, *undecided(found, asked, local, at)), (*notes, *left_out, *_remembered(items)), counted,
        unseen(found, asked, local, at),
    )


def _remembered(items: Sequence[Item]) -> Iterator[str]:
    """What is known only since an earlier run knew it, for a person to see that nothing is known by mistake."""
    found = [item for item in items if item.remembered]
    if found:
        one = found[0].issuance
        names, step = visible(", ".join(one.names[:3]), 200), "if one of them is not yours: --forget-tbs HASH (or all)"
        yield f"{len(found)} known only from an earlier run, the first for {names} (TBS {one.tbs_sha256}); {step}"
