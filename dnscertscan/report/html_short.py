"""Entries in short: how much of each is told depends on how many octets all of them take, which is known before the first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markupsafe import escape

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Finding
from dnscertscan.model.text import visible
from dnscertscan.report.html_lines import SHORT, Line
from dnscertscan.report.words import nameless

ROOM = 9_300_000
"""Octets for the entries in short: with the others, and all else, a page of 50,000 endpoints stays below 10 MB."""
ISSUERS = 500_000
"""Octets for the names of their issuers, each told once."""
WHOLE = 300
"""Characters of a name that is not shortened."""
_MORE = "\N{HORIZONTAL ELLIPSIS}"
_FIRST_PART = re.compile(r"(?:[^\\,]|\\.)+", re.DOTALL)
"""Of a name as RFC 4514 writes it."""
_ENTRY = len("<li><h3></h3><p>ended 2026-12-01 0123456789ab \n")
_PART, _LINK = len("<p class=w>DCS103 "), len("<a href=#DCS103>warning </a>")
_OPEN, _CLOSED = len("<ul></ul>"), len("<details class=at><summary>1,234 targets</summary><ul></ul></details>")
_ALONE, _LISTED, _NOTE = len("<p>"), len("<li>\n"), len(" <small></small>")


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of an entry is told."""

    name: int = WHOLE
    """Characters of the certificate's name."""
    whole: bool = True
    """All of the name, not its first part alone, which is the common name in most."""
    words: int = 0
    """Characters of a message; 0: the name of the rule instead."""
    links: bool = False
    """To the rules; without them the word for the severity comes from the style."""


DETAILS = (
    Detail(words=100, links=True), Detail(words=60), Detail(), Detail(80, whole=False), Detail(32, whole=False),
)
"""The most first. Where none fits it is the smallest, and the page grows: targets are not left out, however long their names."""


@dataclass(slots=True)
class Shortened:
    """All entries that may be in short, measured, and their issuers."""

    issuers: dict[str, int] = field(default_factory=dict)
    """Numbers from 1, in the order of entries."""
    unlisted: int = 0
    """Entries whose issuer has no number, for there are too many."""
    cut: list[int] = field(default_factory=lambda: [0] * len(DETAILS))
    """Entries whose name is not whole."""
    _sizes: list[int] = field(default_factory=lambda: [0] * len(DETAILS))
    _room: int = ISSUERS

    def name(self, shown: CertificateRef | None, title: str) -> None:
        """Measure the head of an entry and number its issuer."""
        whole = visible(title, WHOLE)
        if shown is not None and shown.issuer not in self.issuers and shown.issuer != shown.subject:
            self._room -= _octets(visible(shown.issuer, WHOLE)) + len("<li>\n")
            if self._room >= 0:
                self.issuers[shown.issuer] = len(self.issuers) + 1
            else:
                self.unlisted += 1
        fixed = _ENTRY + (len(self.issuer(shown)) if shown else 0)
        for at, detail in enumerate(DETAILS):
            text = named(title, detail)
            self._sizes[at] += fixed + _octets(text)
            self.cut[at] += text != whole

    def part(self, finding: Finding, lines: Iterator[Line]) -> int:
        """Measure one thing that is wrong, by its first finding; the number of its lines."""
        count = octets = 0
        for count, line in enumerate(lines, 1):  # noqa: B007 - it is how many they are
            octets += _LISTED + _octets(line.text) + sum(_NOTE + _octets(note) for note in line.notes)
        if count == 1:
            octets += _ALONE - _LISTED
        else:
            octets += _OPEN if count <= SHORT else _CLOSED
        message = finding.message if count == 1 else nameless(finding)
        octets += _octets(f" (trust store {visible(finding.store, WHOLE)})") if finding.store else 0
        for at, detail in enumerate(DETAILS):
            words = visible(in_short(message, finding, detail.words))
            self._sizes[at] += octets + _PART + detail.links * _LINK + _octets(words)
        return count

    @property
    def level(self) -> int:
        """Which of :data:`DETAILS` fits."""
        return next((at for at, size in enumerate(self._sizes) if size <= ROOM), self._sizes.index(min(self._sizes)))

    @property
    def octets(self) -> int:
        """What all the entries take."""
        return self._sizes[self.level]

    def issuer(self, shown: CertificateRef) -> str:
        """``issuer 7``: the number in the list of issuers."""
        if shown.issuer == shown.subject:
            return "self-issued"
        number = self.issuers.get(shown.issuer)
        return f"issuer {number}" if number else ""


def in_short(message: str, finding: Finding, most: int) -> str:
    """The words that say what is wrong; the certificate they name, and when it ends, stand above them."""
    if not most:
        return finding.rule.slug
    shown = finding.certificate or finding.leaf
    if shown is not None:
        for told in (f' "{shown.subject}"', f" (serial {shown.serial})"):
            message = message.replace(told, "")
        message = message.partition(": ")[0]
    return _cut(message, most)


def named(title: str, detail: Detail) -> str:
    """The name of a certificate, safe to show."""
    if detail.whole:
        return visible(title, detail.name)
    first = _FIRST_PART.match(title[:WHOLE])
    text = visible(first[0] if first else title, WHOLE)
    return _cut(text, detail.name)


def unsearched(entries: int, short: Shortened, wordy: int) -> str:
    """What is not in the page and so is found by no words, of so many entries in short, and others with very many findings."""
    said = []
    if entries:
        detail = DETAILS[short.level]
        missing = ["serial numbers", "records"]
        missing.append("the rest of long messages" if detail.words else "messages")
        if not detail.whole and short.cut[short.level]:
            missing.append(f"names of certificates after their first part or {detail.name} characters")
        if short.unlisted:
            missing.append(f"the issuers of {short.unlisted:,}")
        said.append(f"Of the {entries:,} entries in short, {', '.join(missing[:-1])} and {missing[-1]} are not searched.")
    if wordy:
        entries_have = "entry that has" if wordy == 1 else "entries that have"
        said.append(f"Of {wordy:,} {entries_have} very many findings, only the first messages are searched whole.")
    return " ".join(said)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}{_MORE}"


def _octets(text: str) -> int:
    return len(escape(text).encode(errors="replace"))
