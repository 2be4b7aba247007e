"""A finding's endpoint as one line of the page. The zone is said only where the name does not tell it."""

from collections.abc import Collection
from dataclasses import dataclass

from dnscertscan.model.findings import Finding
from dnscertscan.model.report import Report
from dnscertscan.model.text import visible
from dnscertscan.report.words import place_of

SHORT = 5
"""Up to so many endpoints are always open to see."""
_ZONE, _NO_ZONE = "zone ", "no zone"


@dataclass(frozen=True, slots=True)
class Line:
    """One endpoint; ``notes`` are how the zones lead there, the zone last, where the name does not say it."""

    text: str
    notes: tuple[str, ...] = ()


class Lines:
    """Lines of findings in a page whose table of zones names these, as they are shown there.

    The page's script finds a line's zones by the same rule (``zonesOf``): a last note that begins with ``zone ``, else the
    first word of the line that is in a zone of the table, and of those the longest.
    """

    def __init__(self, zones: Collection[str]) -> None:
        self._zones = frozenset(visible(zone).strip() for zone in zones)

    def of(self, finding: Finding, *, full: bool) -> Line:
        """``full`` with the record, where that is more than the name and the address."""
        at, text = finding.subject, place_of(finding)
        notes = []
        if full and at.record and not (at.record.startswith(f"{at.fqdn}. A") and at.record.endswith(f" {at.ip_address}")):
            record = visible(at.record, 260)
            notes.append(f"record {record}" if record.startswith((_ZONE, _NO_ZONE)) else record)
        zone = visible(at.zone).strip()
        if zone != self._told(text):
            notes.append(f"{_ZONE}{zone}" if zone else _NO_ZONE)
        return Line(text, tuple(notes))

    def _told(self, text: str) -> str:
        if not self._zones:
            return ""
        for word in text.split(" "):
            at = 0
            while True:
                if word[at:] in self._zones:
                    return word[at:]
                at = word.find(".", at) + 1
                if not at:
                    break
        return ""


def zones_of(report: Report) -> list[str]:
    """Every zone that has records or findings, sorted."""
    return sorted({*(zone.zone for zone in report.coverage.totals), *filter(None, report.tally().by_zone)})
