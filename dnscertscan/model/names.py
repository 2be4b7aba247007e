"""Domain names as values: relative, absolute, ``@``, wildcard and IDN spellings made one (RFC 1034 3.1, RFC 5890)."""

import re
from dataclasses import dataclass

import idna

from dnscertscan.model.text import visible

MAX_NAME = 253
MAX_LABEL = 63
_LABEL_SEPARATOR = re.compile(r"(?<!\\)\.")
_IDN_SEPARATOR = re.compile("(?<!\\\\)[.\u3002\uff0e\uff61]")  # RFC 3490 3.1: dots of other scripts separate labels, too
_HOST_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_USUAL_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_USUAL_NAME = re.compile(rf"{_USUAL_LABEL}(?:\.{_USUAL_LABEL})*")
"""Nearly all names: one look instead of one for each label."""


@dataclass(frozen=True, slots=True, order=True)
class DnsName:
    """A fully qualified name: A-labels, lower case, no final dot; ``""`` is the root.

    Any text can be held, also names that no server can be asked for: :attr:`problem` says what is wrong with them.
    """

    text: str

    @classmethod
    def parse(cls, raw: str, origin: "DnsName | None" = None) -> "DnsName":
        """Read a name as written in a zone: ``@`` and relative names are completed with ``origin``; never raises."""
        raw = raw.strip()
        if origin is not None and raw in ("@", ""):
            return origin
        absolute = raw.endswith(".") and not raw.endswith("\\.")
        body = _to_ascii(raw[:-1] if absolute else raw)
        if origin is None or absolute or not origin.text:
            return cls(body)
        return cls(f"{body}.{origin.text}")

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels from left to right; empty for the root."""
        return tuple(_LABEL_SEPARATOR.split(self.text)) if self.text else ()

    @property
    def is_wildcard(self) -> bool:
        """Whether the leftmost label is ``*`` (RFC 4592 2.1.1)."""
        return self.text == "*" or self.text.startswith("*.")

    @property
    def parent(self) -> "DnsName":
        """The name without its leftmost label; the root is its own parent."""
        parts = _LABEL_SEPARATOR.split(self.text, maxsplit=1)
        return DnsName(parts[1]) if len(parts) == 2 else DnsName("")

    def is_within(self, zone: "DnsName") -> bool:
        """Whether this name is ``zone`` or below it."""
        return not zone.text or self.text == zone.text or self.text.endswith("." + zone.text)

    def child(self, label: str) -> "DnsName":
        """The name one label below this one."""
        return DnsName(f"{label}.{self.text}" if self.text else label)

    @property
    def problem(self) -> str | None:
        """Why no server can be asked for this name in SNI (RFC 6066 3), or None when it can be.

        Underscore labels are allowed: they are no host names, yet servers and certificates use them.
        """
        if len(self.text) <= MAX_NAME and _USUAL_NAME.fullmatch(self.text):
            return None
        if not self.text:
            return "empty name"
        if len(self.text) > MAX_NAME:
            return f"name longer than {MAX_NAME} octets ({len(self.text)})"
        for label in self.labels:
            if fault := _label_problem(label):
                return fault
        return None

    @property
    def display(self) -> str:
        """The name safe to print, at most about 300 characters."""
        return visible(self.text, 260) or "."

    def __str__(self) -> str:
        return self.text


def _label_problem(label: str) -> str | None:
    if not label:
        return "empty label"
    if label == "*":
        return "wildcard label"
    if len(label) > MAX_LABEL:
        return f"label longer than {MAX_LABEL} octets ({len(label)})"
    if not label.isascii():
        return "label is not a valid internationalised label (IDNA 2008)"
    if not _HOST_LABEL.fullmatch(label):
        return f"label {visible(label, 70)!r} has characters no host name can have"
    return None


def _to_ascii(body: str) -> str:
    if body.isascii():
        return body.lower()
    return ".".join(label.lower() if label.isascii() else _a_label(label) for label in _IDN_SEPARATOR.split(body))


def _a_label(label: str) -> str:
    try:
        return idna.encode(label, uts46=True, std3_rules=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return label  # kept as it is: `problem` reports it
