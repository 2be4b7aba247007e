"""Walking and measuring names in their text form; every helper is bounded also for names of a million characters."""

import re
from collections.abc import Iterator

from dnscertscan.model.names import MAX_LABEL, MAX_NAME, DnsName

MAX_WIRE = 255
"""Octets of a name on the wire, length octets and the root included (RFC 1035 2.3.4)."""
_MAX_TEXT = 4 * MAX_WIRE
"""No legal name is longer as text: an escaped octet (``\\ddd``) is four characters."""
_USUAL_LABEL = "[a-z0-9_*-]{1,63}"
_USUAL_NAME = re.compile(rf"{_USUAL_LABEL}(?:\.{_USUAL_LABEL})*")
"""Nearly all names: one look instead of one for each label."""
_ESCAPE = re.compile(r"\\(?:\d{3}|.)", re.DOTALL)


def parents(text: str) -> Iterator[str]:
    """Every name above ``text``, nearest first, the root (``""``) last; nothing for the root itself."""
    if "\\" in text:
        name = DnsName(text)
        while name.text:
            name = name.parent
            yield name.text
        return
    while text:
        text = text.partition(".")[2]
        yield text


def impossible(name: DnsName) -> str | None:
    """Why no zone can hold and no server can be asked for this name (RFC 1035 2.3.4), or None.

    This is wider than what can be scanned: ``a b.example`` is no host name, yet DNS answers for it.
    """
    if len(name.text) <= MAX_NAME and _USUAL_NAME.fullmatch(name.text):
        return None
    if len(name.text) > _MAX_TEXT:
        return f"name longer than {MAX_WIRE} octets"
    if not name.text.isascii():
        return "label is not a valid internationalised label"
    wire = 1
    for label in name.labels:
        octets = len(_ESCAPE.sub("x", label) if "\\" in label else label)
        if not octets:
            return "empty label"
        if octets > MAX_LABEL:
            return f"label longer than {MAX_LABEL} octets"
        wire += octets + 1
    return f"name longer than {MAX_WIRE} octets" if wire > MAX_WIRE else None


def substitute(text: str, owner: str, target: str) -> str:
    """``text``, a name below ``owner``, with that suffix replaced by ``target`` (RFC 6672 2.2)."""
    prefix = text[: -len(owner) - 1] if owner else text
    return f"{prefix}.{target}" if target else prefix
