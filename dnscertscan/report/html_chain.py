"""The served chain as boxes of a small drawing: who signs whom, what was not sent, and which certificate is at fault."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.text import visible
from dnscertscan.pki.dn import COMMON_NAME, DistinguishedName
from dnscertscan.pki.parse import Facts, parse

WIDTH, HEIGHT, GAP = 300, 42, 16
"""Of one box, and between two, in units of the drawing."""
_SHOWN = 34
_MOST = 7


@dataclass(frozen=True, slots=True)
class Box:
    """One certificate of the list, from top to bottom; positions count from 0, the leaf."""

    y: int
    role: str
    name: str
    note: str
    marked: bool
    sent: bool = True
    broken: bool = False
    """The certificate above does not name this one as its issuer."""
    skipped: int = 0
    """Certificates left out above this one."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The boxes, what a screen reader says of them, and the height of them all."""

    boxes: tuple[Box, ...]
    label: str
    height: int


def draw(chain: Sequence[Certificate], at_fault: CertificateRef | None, mark: str = "at fault") -> Drawing:
    """The list as it was sent, the certificate at fault marked with words too; of a long list its ends and the one at fault."""
    boxes = tuple(_placed(_boxes(chain, at_fault, mark)))
    words = (f"{box.role} {box.name}{'' if box.sent else ', not sent'}{f', {mark}' if box.marked else ''}" for box in boxes)
    return Drawing(boxes, f"Certificates as served: {'; '.join(words)}", boxes[-1].y + HEIGHT if boxes else 0)


def _placed(boxes: Iterator[Box]) -> Iterator[Box]:
    for number, box in enumerate(boxes):
        yield Box(number * (HEIGHT + GAP), box.role, box.name, box.note, box.marked, box.sent, box.broken, box.skipped)


def _boxes(chain: Sequence[Certificate], at_fault: CertificateRef | None, mark: str) -> Iterator[Box]:
    fault = at_fault.sha256 if at_fault else ""
    before, last = None, -1
    for at in _positions(chain, fault):
        facts = parse(chain[at])
        marked = facts.sha256 == fault
        end = f"ends {facts.not_after.date().isoformat()}" if facts.not_after else "no end date"
        broken = at == last + 1 and before is not None and before.issuer.key != facts.subject.key
        note = f"{end} \N{MIDDLE DOT} {mark}" if marked else end
        yield Box(0, f"{at} {_role(facts, at)}", short(facts.subject), note, marked, broken=broken, skipped=at - last - 1)
        before, last = facts, at
    top = parse(chain[-1]) if chain else None
    if at_fault is not None and at_fault.position is None:
        yield Box(0, "trust anchor", _cut(at_fault.subject), f"not sent \N{MIDDLE DOT} {mark}", marked=True, sent=False)
    elif top is not None and not top.is_self_issued and not top.problem:
        yield Box(0, "issuer", short(top.issuer), "not sent", marked=False, sent=False)


def _positions(chain: Sequence[Certificate], fault: str) -> list[int]:
    if len(chain) <= _MOST:
        return list(range(len(chain)))
    at_fault = [at for at, one in enumerate(chain) if one.sha256 == fault][:1]
    return sorted({*range(_MOST - 2), *at_fault, len(chain) - 1})


def _role(facts: Facts, at: int) -> str:
    if facts.problem:
        return "unreadable"
    if facts.is_ca:
        return "root CA" if facts.is_self_issued else "CA"
    return "leaf" if at == 0 else "certificate"


def short(name: DistinguishedName) -> str:
    """The common name, or the whole name where it has none, short enough for a box."""
    return _cut((name.values(COMMON_NAME) or (name.text,))[-1])


def _cut(text: str) -> str:
    shown = visible(text, 200) or "(no subject)"
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "\N{HORIZONTAL ELLIPSIS}"
