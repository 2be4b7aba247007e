"""Stage 3: one observation per target."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from dnscertscan.registry import Registry
from dnscertscan.scan.base import Clock, ScanEngine, ScanSettings

EngineFactory = Callable[[ScanSettings, Clock], ScanEngine]


def _lazily(module: str, attribute: str) -> EngineFactory:
    """The engine's module is imported when an engine is made, not before: it is heavy."""

    def make(settings: ScanSettings, clock: Clock) -> ScanEngine:
        factory = cast("EngineFactory", getattr(import_module(module), attribute))
        return factory(settings, clock)

    return make


ENGINES: Registry[EngineFactory] = Registry("scan engine", [
    ("sslyze", _lazily("dnscertscan.scan.sslyze", "SslyzeEngine")),
    ("probe", _lazily("dnscertscan.scan.probe_engine", "ProbeEngine")),
])
