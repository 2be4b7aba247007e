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
from dnscertscan.report.html_chain import Drawing, draw
from dnscertscan.report.html_lines import Line, Lines, zones_of
from dnscertscan.report.html_short import DETAILS, Detail, Shortened, in_short, named, unsearched
from dnscertscan.report.words import nameless

FULL, FIRST = 2000, 200
"""Up to so many certificates are all shown in full; of more, so many of the worst: the page stays one that a browser can open."""
LINES = 200
"""Endpoints in one list."""
_BLOCK_FULL, _BLOCK = 10, 50
_WORDY = 50
"""Findings of one certificate whose messages are given whole."""
_WORDS = 100


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
    issuer: str
    """In short: its number in the list of issuers."""
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
    short: Shortened = field(default_factory=Shortened)
    _lines: Lines = field(default_factory=lambda: Lines(()))
    _wordy: list[int] = field(default_factory=list)
    """Which of the first groups have so many findings that not all their messages are given whole."""
    _report: Report | None = None
    _sorted: Groups[Finding] | None = None
    _worst: dict[str, int] = field(default_factory=dict)
    _sizes: "array[int]" = field(default_factory=lambda: array("L"))
    _firsts: list[Finding] = field(default_factory=list)
    _drawings: dict[str, Drawing] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report) -> "Found":
        """Everything that has to be known before the first group can be written."""
        found = cls(_report=report, _lines=Lines(zones_of(report)))
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

    @property
    def detail(self) -> Detail:
        """What is told of each of the others."""
        return DETAILS[self.short.level]

    @property
    def unsearched(self) -> str:
        """What a reader cannot find by words, because the page does not hold it; empty when it holds all."""
        return unsearched(self.groups - self.shown_in_full, self.short, sum(one < self.shown_in_full for one in self._wordy))

    def _measure(self, members: Iterator[Finding]) -> None:
        head = next(members)
        kinds = 0
        if short := self.groups >= FIRST:
            shown = _shown(head)
            self.short.name(shown, _title(head, shown))
        for kinds, (_, same) in enumerate(groupby(chain((head,), members), _same), 1):  # noqa: B007 - it is how many they are
            finding = next(same)
            every = chain((finding,), same)
            if short:
                size = self.short.part(finding, (self._lines.of(one, full=False) for one in every))
            else:
                size = sum(1 for _ in every)
            self._sizes.append(size)
            self.rules.setdefault(finding.rule.code, finding.rule)
            self.counts[finding.rule.code] += size
        if kinds > _WORDY and self.groups < FULL:
            self._wordy.append(self.groups)
        self.groups += 1
        self.certificates += _shown(head) is not None
        if self.groups <= FULL:
            self._firsts.append(head)

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
        head = next(members)
        shown = _shown(head)
        parts = self._parts(groupby(chain((head,), members), _same), sizes, full=full)
        title = named(_title(head, shown), DETAILS[0] if full else self.detail)
        drawing = self._drawings.get(_ident(head)) if full else None
        end = _end(shown, self._report, full=full)
        issuer = self.short.issuer(shown) if shown and not full else ""
        return Group(title, shown, end, issuer, drawing, parts)

    def _parts(self, alike: Iterable[tuple[Key, Iterator[Finding]]], sizes: Iterator[int], *, full: bool) -> Iterator[Part]:
        before = ""
        for number, (_, same) in enumerate(alike):
            first, size = next(same), next(sizes)
            message = first.message if size == 1 else nameless(first)
            store = first.store if first.store and first.store not in message else ""
            if not full or number >= _WORDY:
                message = in_short(message, first, _WORDS if full else self.detail.words)
            lines = (self._lines.of(finding, full=full) for finding in chain((first,), same))
            lists = (islice(lines, LINES) for _ in range(0, size, LINES))
            yield Part(first.rule, first.severity, message, store, size, first.rule.code != before, lists)
            before = first.rule.code


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


def _title(finding: Finding, shown: CertificateRef | None) -> str:
    return (shown.subject or "(certificate with an empty subject)") if shown else finding.rule.title


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
