"""We accept what OpenSSL accepts and refuse what it refuses, but for the differences listed in pki/differences.py."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from pki import openssl
from pki.changes import CHANGES, make
from pki.differences import DIFFERENCES, explained

from dnscertscan import diagnose


def _agree(names: Sequence[str], folder: Path, kind: str = "P-256") -> str:
    """Empty when both agree or the difference is listed."""
    case = make(*names, kind=kind)
    found = diagnose(case.chain, case.name, case.anchors, case.at)
    accepted, reason = openssl.verify(case, folder)
    if found.valid is accepted or explained(names, found.valid):
        return ""
    return f"{names}: ours {found}, OpenSSL {reason or 'OK'}"


def test_each_change_alone(tmp_path: Path) -> None:
    """One change at a time, EC keys."""
    assert [text for name in CHANGES if (text := _agree([name], tmp_path))] == []


@pytest.mark.parametrize("seed", range(4))
def test_changes_together(seed: int, tmp_path: Path) -> None:
    """Two or three changes at once, drawn anew from a fixed seed; RSA and EC."""
    draw = random.Random(seed)
    drawn = [(draw.sample(list(CHANGES), draw.choice((2, 2, 3))), draw.choice(("P-256", "RSA2048"))) for _ in range(40)]
    assert [text for names, kind in drawn if (text := _agree(names, tmp_path, kind))] == []


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.what)
def test_every_listed_difference_is_real(difference: object, tmp_path: Path) -> None:
    """A difference that no longer shows must leave the table; what explains it is an existing change."""
    entry = next(listed for listed in DIFFERENCES if listed is difference)
    assert entry.changes | entry.only_with <= set(CHANGES)
    shown = []
    for change in sorted(entry.changes):
        for others in [sorted(entry.only_with)] if entry.together else [[one] for one in sorted(entry.only_with)] or [[]]:
            case = make(*others, change)
            ours = diagnose(case.chain, case.name, case.anchors, case.at).valid
            shown.append(ours is entry.accepts and openssl.verify(case, tmp_path)[0] is not ours)
    assert any(shown) if entry.only_with else all(shown)


def test_openssl_with_partial_chain_accepts_our_anchors(tmp_path: Path) -> None:
    """The difference about anchors goes away with the flag that curl and Python set."""
    for change in ("anchor-intermediate", "anchor-leaf"):
        assert openssl.verify(make(change), tmp_path, "-partial_chain")[0]
