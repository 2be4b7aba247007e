"""Findings by certificate, worst first, then by what is wrong, then the endpoints: gone through in order, never held."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, groupby, islice

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.collected import Groups, Key, grouped
from dnscertscan.model.findings import Finding, Rule, Severity
from dnscertscan.model.observations import Deployment, Handshake, Observation
from dnscertscan.model.report import Report
from dnscertscan.model.text import visible
from dnscertscan.report.html_chain import Drawing, draw
from dnscertscan.report.words import nameless, place_of

FULL, FIRST = 2000, 200
"""Up to so many certificates are all shown in full; of more, so many of the worst: the page stays one that a browser can open."""
LINES = 200
"""Endpoints in one list."""
SHORT = 5
"""Up to so many endpoints are always open to see."""
_BLOCK_FULL, _BLOCK = 10, 50
_WORDY = 50
"""Findings of one certificate whose messages are given whole."""
_WORDS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One endpoint; ``note`` is how the zones lead there, where the name does not say it."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing wrong with one certificate, and where; the lists have to be read in their order, once."""

    rule: Rule
    severity: Severity
    message: str
    store: str
    size: int
    explains: bool
    """Whether it is the first of its rule here."""
    lists: Iterator[Iterator[Line]]


@dataclass(frozen=True, slots=True)
class Group:
    """One certificate (None: what is no certificate's fault) and all that is wrong with it."""

    title: str
    certificate: CertificateRef | None
    end: str
    """When it ends, in words that begin with ``ends`` or ``ended`` and the day; only these in short."""
    drawing: Drawing | None
    parts: Iterator[Part]


@dataclass(frozen=True, slots=True)
class Block:
    """Some groups that a browser lays out together, when they come into view."""

    full: bool
    groups: Iterator[Group]


@dataclass(slots=True)
class Found:
    """The findings of a report, measured; :meth:`blocks` gives them."""

    groups: int = 0
    certificates: int = 0
    rules: dict[str, Rule] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    """Findings by rule code."""
    _report: Report | None = None
    _sorted: Groups[Finding] | None = None
    _worst: dict[str, int] = field(default_factory=dict)
    _sizes: "array[int]" = field(default_factory=lambda: array("L"))
    _firsts: list[Finding] = field(default_factory=list)
    _drawings: dict[str, Drawing] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report) -> "Found":
        """Everything that has to be known before the first group can be written."""
        found = cls(_report=report)
        found._worst = _mixed(grouped(report.findings, lambda finding: (_ident(finding),)))
        found._sorted = grouped(report.findings, found._order())
        for members in found._groups():
            found._measure(members)
        if found.groups > FULL:
            del found._firsts[FIRST:]
        return found

    @property
    def shown_in_full(self) -> int:
        """How many groups are shown with all that is known of them."""
        return len(self._firsts)

    def _measure(self, members: Iterator[Finding]) -> None:
        first = None
        for _, same in groupby(members, _same):
            finding, size = _counted(same)
            first = first or finding
            self._sizes.append(size)
            self.rules.setdefault(finding.rule.code, finding.rule)
            self.counts[finding.rule.code] += size
        if first is not None:
            self.groups += 1
            self.certificates += _shown(first) is not None
            if self.groups <= FULL:
                self._firsts.append(first)

    def _order(self) -> Callable[[Finding], Key]:
        worst = self._worst

        def order(finding: Finding) -> Key:
            shown, ident = _shown(finding), _ident(finding)
            end = "9999" if shown is None or shown.not_after is None else shown.not_after.isoformat()
            subject = shown.subject[:200] if shown else ""
            return -worst.get(ident, int(finding.severity)), end, subject, ident, *_same(finding)

        return order

    def _groups(self) -> Iterator[Iterator[Finding]]:
        if self._sorted is not None:
            for _, members in groupby(self._sorted.ordered(), _ident):
                yield members

    def draw_from(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        """Pass the observations on, and draw the chains of the groups that are shown in full as they come by."""
        wanted: dict[str, list[Finding]] = {}
        for finding in self._firsts:
            for one in {ref.sha256 for ref in (finding.leaf, finding.certificate) if ref}:
                wanted.setdefault(one, []).append(finding)
        best: dict[str, int] = {}
        for observation in observations:
            if wanted and isinstance(observation.outcome, Handshake):
                for deployment in observation.outcome.deployments:
                    met = {_ident(one): one for served in deployment.chain for one in wanted.get(served.sha256, ())}
                    for ident, finding in met.items():
                        fit = _fit(finding, observation, deployment)
                        if fit > best.get(ident, -1):
                            best[ident] = fit
                            mark = "at fault" if finding.severity >= Severity.WARNING else "this one"
                            self._drawings[ident] = draw(deployment.chain, finding.certificate, mark)
            yield observation

    def blocks(self) -> Iterator[Block]:
        """All groups in blocks, which have to be read in their order, each to its end."""
        sizes = iter(self._sizes)
        numbered = enumerate(self._groups())
        groups = (self._group(members, sizes, full=number < self.shown_in_full) for number, members in numbered)
        number = 0
        while number < self.groups:
            full = number < self.shown_in_full
            size = min(_BLOCK_FULL, self.shown_in_full - number) if full else _BLOCK
            yield Block(full, islice(groups, size))
            number += size

    def _group(self, members: Iterator[Finding], sizes: Iterator[int], *, full: bool) -> Group:
        first = next(members)
        shown = _shown(first)
        parts = _parts(groupby(chain((first,), members), _same), sizes, full=full)
        title = (shown.subject or "(certificate with an empty subject)") if shown else first.rule.title
        drawing = self._drawings.get(_ident(first)) if full else None
        return Group(title, shown, _end(shown, self._report, full=full), drawing, parts)


def _counted(findings: Iterator[Finding]) -> tuple[Finding, int]:
    """The first of some, and how many they are."""
    first = next(findings)
    return first, 1 + sum(1 for _ in findings)


def _mixed(groups: Groups[Finding]) -> dict[str, int]:
    """The worst severity of the certificates that have findings of several: of all others one finding tells it."""
    worst = {}
    for ident, members in groupby(groups.ordered(), _ident):
        severities = {int(finding.severity) for finding in members}
        if len(severities) > 1:
            worst[ident] = max(severities)
    return worst


def _shown(finding: Finding) -> CertificateRef | None:
    return finding.certificate or finding.leaf


def _end(shown: CertificateRef | None, report: Report | None, *, full: bool) -> str:
    if shown is None or shown.not_after is None or report is None:
        return "no end date"
    left = (shown.not_after - report.run.started) // timedelta(days=1)
    words, days = ("ended", -left - 1) if left < 0 else ("ends", left)
    distance = f" ({days:,} day{'' if days == 1 else 's'} {'ago' if left < 0 else 'left'})" if full else ""
    return f"{words} {shown.not_after.date()}{distance}"


def _ident(finding: Finding) -> str:
    shown = _shown(finding)
    return shown.sha256 if shown else finding.rule.code


def _same(finding: Finding) -> tuple[int, str, str, str]:
    """What is the same but for the target: a message that quotes its name is, too."""
    return -finding.severity, finding.rule.code, nameless(finding), finding.store or ""


def _fit(finding: Finding, observation: Observation, deployment: Deployment) -> int:
    """How well a served list shows what a finding is about."""
    at, target = finding.subject, observation.target
    here = (at.ip_address, at.port, at.fqdn) == (target.endpoint.address, target.endpoint.port, target.server_name.text)
    leads = finding.leaf is not None and deployment.chain[0].sha256 == finding.leaf.sha256
    fault = finding.certificate is not None and finding.certificate.sha256 in {one.sha256 for one in deployment.chain}
    return 4 * fault + 2 * leads + here


def _parts(alike: Iterable[tuple[Key, Iterator[Finding]]], sizes: Iterator[int], *, full: bool) -> Iterator[Part]:
    before = ""
    for number, (_, same) in enumerate(alike):
        first, size = next(same), next(sizes)
        message = first.message if size == 1 else nameless(first)
        store = first.store if first.store and first.store not in message else ""
        if not full or number >= _WORDY:
            message = _in_short(message, _shown(first))
        lines = (_line(finding, full=full) for finding in chain((first,), same))
        lists = (islice(lines, LINES) for _ in range(0, size, LINES))
        yield Part(first.rule, first.severity, message, store, size, first.rule.code != before, lists)
        before = first.rule.code


def _in_short(message: str, shown: CertificateRef | None) -> str:
    """The words that say what is wrong; the certificate they name, and when it ends, stand above them."""
    if shown is not None:
        for told in (f' "{shown.subject}"', f" (serial {shown.serial})"):
            message = message.replace(told, "")
        message = message.partition(": ")[0]
    return message if len(message) <= _WORDS else f"{message[:_WORDS]}\N{HORIZONTAL ELLIPSIS}"


def _line(finding: Finding, *, full: bool) -> Line:
    at = finding.subject
    notes = []
    if full and at.record and not (at.record.startswith(f"{at.fqdn}. A") and at.record.endswith(f" {at.ip_address}")):
        notes.append(visible(at.record, 260))
    if at.zone and at.zone != (at.fqdn or at.zone) and not at.fqdn.endswith(f".{at.zone}"):
        notes.append(f"zone {visible(at.zone, 260)}")
    return Line(place_of(finding), ", ".join(notes))
