"""Stage 1: where zones come from."""

from dnscertscan.registry import Registry
from dnscertscan.zones.axfr import AxfrSource
from dnscertscan.zones.base import ZoneSource
from dnscertscan.zones.json_file import JsonFileSource

SOURCES: Registry[type[ZoneSource]] = Registry("zone source", [("json", JsonFileSource), ("axfr", AxfrSource)])
"""Every kind of zone source, in the order they are documented."""
