"""Auditing certificates that were met: verdicts, issuers, pins; what is the same at several places is one entry."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from dnscertscan.ct.audit_issuers import Issuers, Pins
from dnscertscan.ct.audit_points import pin_points, points_of
from dnscertscan.ct.audit_report import Audited, Presented
from dnscertscan.ct.inclusion import Question
from dnscertscan.model.ct import LogList, Sct, SctResult, SctVerdict
from dnscertscan.pki.ct_audit import audit, entry_of


@dataclass(frozen=True, slots=True)
class Auditor:
    """What certificates are judged by. ``log_private``: those of private CAs are held to the same as public ones."""

    log_list: LogList
    at: datetime
    issuers: Issuers
    pins: Pins = field(default_factory=Pins)
    log_private: bool = False

    def audit(self, presented: Presented) -> Audited:
        """One certificate, from octets at hand alone; never raises."""
        ancestry = self.issuers.ancestry(presented.chain)
        public = self.issuers.is_public(ancestry)
        held = True if public is False and self.log_private else public
        found = audit(
            presented.chain, self.log_list, self.at, staple=presented.staple, tls_scts=presented.scts,
            issuers=self.issuers.candidates, public=held,
        )
        points = (*pin_points(self.pins, ancestry, presented.leaf), *points_of(found, presented.leaf, held, self.at))
        return Audited(presented, found, public, points)

    def audit_all(self, presented: Iterable[Presented]) -> tuple[Audited, ...]:
        """Each certificate once for all places where the same is to be said of it."""
        kept: list[Audited] = []
        for one in map(self.audit, presented):
            same = next((number for number, other in enumerate(kept) if _is_same(one, other)), None)
            if same is None:
                kept.append(one)
            else:
                places = tuple(dict.fromkeys((*kept[same].presented.places, *one.presented.places)))
                kept[same] = replace(kept[same], presented=replace(kept[same].presented, places=places))
        return tuple(kept)

    def questions(self, audited: Audited) -> Iterator[tuple[SctResult, Question]]:
        """What logs can be asked: each valid SCT with its log and the entry that it is over."""
        for result in audited.audit.results:
            if result.verdict is SctVerdict.VALID and isinstance(result.sct, Sct) and result.log is not None:
                entry = entry_of(audited.presented.chain, result.delivery, self.issuers.candidates)
                if not isinstance(entry, str):
                    yield result, Question(result.sct, entry, result.log)


def _is_same(one: Audited, other: Audited) -> bool:
    """The same certificate, and the same to be said of it; the rest of the chain and the staple may differ."""
    return one.presented.leaf == other.presented.leaf and one.audit == other.audit and one.points == other.points
