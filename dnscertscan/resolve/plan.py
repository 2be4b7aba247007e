"""From zones to a plan: every host record is named, filtered, chased where it is an alias, and mapped to targets."""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from time import monotonic

from dnscertscan.model.endpoints import Provenance
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import HOST_TYPES, Origin, Record, Resolution, Zone
from dnscertscan.model.report import CoverageRow, State
from dnscertscan.resolve.chase import Answer, Question, chase
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, Plan, PlanBuilder
from dnscertscan.resolve.wildcards import configured_names, not_covered, probe_name
from dnscertscan.resolve.zone_index import ADDRESS_TYPES, ZoneIndex, ZoneTree

Progress = Callable[[int, int], None]
"""Called with (host records done, host records in all)."""

_BREATH = 500
"""Records between two chances for the event loop to do something else."""
_TICK = 0.1
"""Seconds between two reports of progress."""


async def make_plan(
    zones: Sequence[Zone], resolver: Resolver, settings: MapSettings, on_progress: Progress | None = None
) -> Plan:
    """Resolve every host record of ``zones``; what resolvers and records do wrong is in the plan, nothing is raised for it.

    As many chases run at a time as the resolver may have queries in flight. ``resolver.stop()`` ends it early with a valid plan.
    """
    planner = _Planner(zones, resolver, settings, on_progress)
    async with asyncio.TaskGroup() as group:
        for _ in range(max(1, resolver.in_flight)):
            group.create_task(planner.work())
    return planner.finish()


async def drive(questions: Generator[Question, Answer, Resolution], resolver: Resolver) -> Resolution:
    """Answer a chase's questions until it ends."""
    try:
        question = next(questions)
        while True:
            question = questions.send(await resolver.lookup(question))
    except StopIteration as end:
        resolution: Resolution = end.value
        return resolution


class _Planner:
    """The state of one run of :func:`make_plan`, shared by its workers."""

    def __init__(self, zones: Sequence[Zone], resolver: Resolver, settings: MapSettings, on_progress: Progress | None) -> None:
        self._zones = zones
        self._resolver = resolver
        self._settings = settings
        self._on_progress = on_progress
        self._index = ZoneIndex(zones)
        self._builder = PlanBuilder(settings)
        self._views = Counter(zone.name for zone in zones)
        self._hosts = {zone.name.text: 0 for zone in zones}
        self._others = dict(self._hosts)
        for zone in zones:
            hosts = sum(record.type in HOST_TYPES for record in zone.records)
            self._hosts[zone.name.text] += hosts
            self._others[zone.name.text] += len(zone.records) - hosts
        self._queue = self._host_records()
        self._done = 0
        self._last_tick = monotonic()

    async def work(self) -> None:
        """One worker: takes host records until there are none left."""
        for record, zone, tree in self._queue:
            for provenance, name in self._candidates(record, zone, tree):
                questions = chase(name, self._index, via=tree.hop(record, name))
                resolution = await drive(questions, self._resolver)
                self._builder.add_resolution(replace(provenance, resolution=resolution), name)
            self._done += 1
            if self._done % _BREATH == 0:
                await asyncio.sleep(0)
            self._tick()

    def finish(self) -> Plan:
        """The plan, once all workers are done."""
        self._unused_names()
        self._index = ZoneIndex(())  # a third of all memory until here, and the builder needs some now
        if self._on_progress is not None:
            self._on_progress(self._done, sum(self._hosts.values()))
        return self._builder.finish(self._hosts, self._others)

    def _host_records(self) -> Iterator[tuple[Record, Zone, ZoneTree]]:
        places: dict[tuple[Origin, str], Origin] = {}
        for zone, tree in zip(self._zones, self._index.trees, strict=True):
            several = self._views[zone.name] > 1
            for record in zone.records:
                if record.type in HOST_TYPES:
                    view = (zone.view or record.view or zone.source) if several else ""
                    yield record if record.view == view else record.in_view(view, places), zone, tree

    def _candidates(self, record: Record, zone: Zone, tree: ZoneTree) -> Iterator[tuple[Provenance, DnsName]]:
        """The aliases to chase; everything that needs no chase goes to the builder at once."""
        wildcard = record.name if record.name.is_wildcard else None
        build = self._builder
        for provenance, name in self._names(Provenance(record, zone.name, None, wildcard), tree):
            if not self._settings.wants(name, record.name):
                build.leave_out(provenance, name, State.SKIPPED, "filtered")
            elif record.type == "DNAME":
                detail = "has no addresses of its own; aliases to names below it are followed through it"
                build.leave_out(provenance, name, State.SKIPPED, "dname", detail)
            elif problem := name.problem:
                build.leave_out(provenance, name, State.FAILED, "unscannable-name", problem)
            elif record.type in ADDRESS_TYPES:
                build.add(provenance, name, (record.data,))
            else:
                yield provenance, name

    def _names(self, provenance: Provenance, tree: ZoneTree) -> Iterator[tuple[Provenance, DnsName]]:
        """The owner name, or what a wildcard is scanned with: a probe, names of the configuration, names that CT has."""
        wildcard = provenance.wildcard
        if wildcard is None or provenance.record.type == "DNAME":
            yield provenance, provenance.record.name
            return
        probe = probe_name(wildcard, self._settings)
        yield provenance, probe
        told = {probe}
        for key, name in configured_names(wildcard, provenance.zone, self._settings):
            why = not_covered(tree, wildcard, name)
            if why is None:
                if name not in told:
                    yield provenance, name
                told.add(name)
            elif DnsName.parse(key) == wildcard or name.is_within(wildcard.parent):
                self._builder.leave_out(provenance, name, State.SKIPPED, "not-covered", why)
        for name in self._settings.seen_names.get(wildcard.text, ()):
            if name not in told and not_covered(tree, wildcard, name) is None:
                yield replace(provenance, seen_in="CT"), name

    def _unused_names(self) -> None:
        """A row for every configured name that no loaded wildcard covers: a typing error must not pass in silence."""
        if not self._settings.wildcard_names:
            return
        wildcards = {record.name for zone in self._zones for record in zone.records if _is_wildcard_host(record)}
        for key, entries in self._settings.wildcard_names.items():
            place = DnsName.parse(key)
            zone = self._index.zone_of(place)
            if zone is None or place in wildcards:
                continue
            inside = [wildcard.parent for wildcard in wildcards if place == zone and wildcard.is_within(zone)]
            for entry in entries:
                name = DnsName.parse(entry)
                absolute = entry.endswith(".") or name.is_within(zone)
                if not (any(name.is_within(base) for base in inside) if absolute else inside):
                    detail = f"configured under {place.display}: no wildcard of the loaded zones covers it"
                    self._builder.note(CoverageRow(zone.text, "", name.display, "", None, State.SKIPPED, "not-covered", detail))

    def _tick(self) -> None:
        if self._on_progress is not None and monotonic() - self._last_tick >= _TICK:
            self._last_tick = monotonic()
            self._on_progress(self._done, sum(self._hosts.values()))


def _is_wildcard_host(record: Record) -> bool:
    return record.name.is_wildcard and record.type in HOST_TYPES and record.type != "DNAME"
