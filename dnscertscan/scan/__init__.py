"""Stage 3: one observation per target."""

from importlib import import_module
from typing import Protocol, cast

from dnscertscan.registry import Registry
from dnscertscan.scan.base import Clock, Doubt, ScanEngine, ScanSettings


class EngineFactory(Protocol):
    """Makes an engine. ``doubtful`` is for engines that look closer at some targets than at others."""

    def __call__(self, settings: ScanSettings, clock: Clock, doubtful: Doubt | None = None) -> ScanEngine:
        """An engine for one scan after another."""
        ...


def _lazily(module: str, attribute: str, *, chooses: bool = False) -> EngineFactory:
    """The engine's module is imported when an engine is made, not before: it is heavy."""

    def make(settings: ScanSettings, clock: Clock, doubtful: Doubt | None = None) -> ScanEngine:
        factory = cast("EngineFactory", getattr(import_module(module), attribute))
        return factory(settings, clock, doubtful) if chooses else factory(settings, clock)

    return make


ENGINES: Registry[EngineFactory] = Registry("scan engine", [
    ("sslyze", _lazily("dnscertscan.scan.sslyze", "SslyzeEngine")),
    ("probe", _lazily("dnscertscan.scan.probe_engine", "ProbeEngine")),
    ("auto", _lazily("dnscertscan.scan.sslyze", "auto", chooses=True)),
])
