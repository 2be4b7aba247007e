"""Tree heads by get-sth and by checkpoint: read strictly, signatures checked, lines of strangers passed over."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pki import ct_forge
from pki.ct_forge import OwnLog
from pki.forge import NOW

from dnscertscan.model.ct import LogKind
from dnscertscan.pki.merkle import EMPTY_ROOT
from dnscertscan.pki.tree_heads import (
    MAX_OCTETS,
    TreeHead,
    key_id,
    origin_of,
    parse_checkpoint,
    parse_sth,
    tree_head_problem,
)

LOG = OwnLog("static", kind=LogKind.STATIC)
ROOT = b"r" * 32
TIME = ct_forge.milliseconds(NOW)
ORIGIN = "static.example"


def _signature(log: OwnLog = LOG, size: int = 300, root: bytes = ROOT) -> bytes:
    return log.signed(b"\0\1" + TIME.to_bytes(8, "big") + size.to_bytes(8, "big") + root)


def _sth(**changes: Any) -> bytes:
    fields = {
        "tree_size": 300, "timestamp": TIME, "sha256_root_hash": b64encode(ROOT).decode(),
        "tree_head_signature": b64encode(_signature()).decode(),
    }
    return json.dumps({name: value for name, value in (fields | changes).items() if value is not None}).encode()


def _line(octets: bytes, name: str = ORIGIN) -> str:
    return f"— {name} {b64encode(octets).decode()}\n"


def _own_line(origin: str = ORIGIN, *, spoil: bool = False) -> str:
    signature = _signature()
    signature = signature[:-1] + bytes([signature[-1] ^ spoil])
    return _line(key_id(origin, LOG.log_id) + TIME.to_bytes(8, "big") + signature, origin)


def _checkpoint(*lines: str, head: str = f"{ORIGIN}\n300\n{b64encode(ROOT).decode()}\n") -> bytes:
    return f"{head}\n{''.join(lines)}".encode()


def _sized(size: str) -> bytes:
    return _checkpoint(_own_line(), head=f"{ORIGIN}\n{size}\n{b64encode(ROOT).decode()}\n")


def _read(found: TreeHead | str) -> TreeHead:
    assert isinstance(found, TreeHead), found
    return found


def test_a_good_sth() -> None:
    """Fields, time and signature."""
    body = _sth()
    head = _read(parse_sth(body))
    assert (head.size, head.root, head.at, head.origin) == (300, ROOT, NOW, "")
    assert tree_head_problem(head, LOG.log) == ""
    assert head.raw == body


def test_rsa_logs_sign_tree_heads() -> None:
    """The other algorithm a log may have."""
    log = OwnLog("rsa", key_kind="RSA2048")
    head = TreeHead(300, ROOT, TIME, _signature(log))
    assert tree_head_problem(head, log.log) == ""


@pytest.mark.parametrize(
    "change", [{"size": 301}, {"timestamp": TIME + 1}, {"root": b"x" * 32}, {"signature": b""}, {"signature": b"\4\3\0\1"}]
)
def test_a_changed_tree_head(change: dict[str, Any]) -> None:
    """Whatever is changed, the signature no longer fits."""
    head = _read(parse_sth(_sth()))
    assert tree_head_problem(replace(head, **change), LOG.log)
    assert tree_head_problem(head, OwnLog("other").log)
    assert tree_head_problem(replace(head, signature=head.signature + b"x"), LOG.log).endswith("with a wrong length")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>502</html>", b"[]", b"null", b"[" * 60_000, b"\xff", b"1" * 60_000, b" " * (MAX_OCTETS + 1),
        _sth(tree_size=-1),
        _sth(tree_size="300"), _sth(tree_size=True), _sth(tree_size=1 << 64), _sth(tree_size=None), _sth(timestamp=1.5),
        _sth(sha256_root_hash="ä"), _sth(sha256_root_hash="AA=="), _sth(sha256_root_hash=7),
        _sth(tree_head_signature="not base64"), _sth(tree_size=0),
    ],
)
def test_no_tree_head(body: bytes) -> None:
    """Anything else than a tree head is a text that says so."""
    found = parse_sth(body)
    assert isinstance(found, str)
    assert found.startswith("tree head")


def test_an_empty_tree() -> None:
    """The tree without entries has one root."""
    body = _sth(tree_size=0, sha256_root_hash=b64encode(EMPTY_ROOT).decode())
    assert _read(parse_sth(body)).size == 0


def test_a_good_checkpoint_among_strangers() -> None:
    """Unknown keys, witnesses, grease and lines that are no signatures are passed over, wherever they stand."""
    strangers = [
        _line(b"\1\2\3\4" + b"e" * 64), _line(b"w" * 76, "witness.example"), "— grease\n", "grease\n", "— x !!!\n", _line(b""),
        _line(key_id(ORIGIN, LOG.log_id)), "—\n", "\n",
    ]
    for place in range(len(strangers) - 1):
        head = _read(parse_checkpoint(_checkpoint(*strangers[:place], _own_line(), *strangers[place:-1]), LOG.log))
        assert (head.size, head.root, head.at, head.origin) == (300, ROOT, NOW, ORIGIN)
        assert tree_head_problem(head, LOG.log) == ""


def test_the_good_line_of_two_with_one_key_id() -> None:
    """A line that shares the short key id does not hide the good one; alone it is bad."""
    head = _read(parse_checkpoint(_checkpoint(_own_line(spoil=True), _own_line()), LOG.log))
    assert tree_head_problem(head, LOG.log) == ""
    head = _read(parse_checkpoint(_checkpoint(_own_line(spoil=True)), LOG.log))
    assert tree_head_problem(head, LOG.log)


def test_extension_lines_are_passed_over() -> None:
    """Lines between the root and the blank line belong to nobody here."""
    text = f"{ORIGIN}\n300\n{b64encode(ROOT).decode()}\nmore\n"
    assert _read(parse_checkpoint(_checkpoint(_own_line(), head=text), LOG.log)).size == 300


def test_the_origin_is_compared() -> None:
    """No signature covers it, so it must be the log's own; a log without URL is not asked."""
    body = _checkpoint(_own_line("evil.example"), head=f"evil.example\n300\n{b64encode(ROOT).decode()}\n")
    assert parse_checkpoint(body, LOG.log) == "checkpoint of 'evil.example', 'static.example' is due"
    assert _read(parse_checkpoint(body, replace(LOG.log, url=""))).size == 300
    assert origin_of(replace(LOG.log, url="https://rome.example/2024h1/")) == "rome.example/2024h1"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\n\n", b"\xff\n\n", b"a\nb\nc\n", _checkpoint(_own_line(), head=f"{ORIGIN}\n"),
        _checkpoint(_own_line(), head=f"{ORIGIN}\n300\nAAAA\n"),
        *map(_sized, ("-1", "+1", "03", "", "1e3", "٣", "9" * 19, "9" * 20)),
        _checkpoint(), _checkpoint(_line(b"w" * 76)), b"x" * (MAX_OCTETS + 1), b"<html>\n\n</html>",
    ],
)
def test_no_checkpoint(body: bytes) -> None:
    """Anything else is a text that says so."""
    assert isinstance(parse_checkpoint(body, LOG.log), str)


GOOD = _checkpoint(_own_line())


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(GOOD)), st.integers(0, len(GOOD)))
def test_hostile_answers(octets: bytes, start: int, stop: int) -> None:
    """Any octets, also in the midst of good ones, are a tree head or a text."""
    for body in (octets, GOOD[:start] + octets + GOOD[stop:]):
        for found in (parse_sth(body), parse_checkpoint(body, LOG.log)):
            assert isinstance(found, str) or isinstance(tree_head_problem(found, LOG.log), str)
