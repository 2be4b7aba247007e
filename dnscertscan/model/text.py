"""How text from outside (DNS, certificates, servers) is made safe to show.

Values keep the raw text; every output that a person or a shell may see passes it through here.
"""

import re
import unicodedata

# Cc control, Cf format (bidi marks, zero width), Cs surrogate, Co private, Cn unassigned, Zl/Zp line and paragraph separators.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COMMAND = re.compile(r"##(?=[A-Za-z]*\[)|\A\s*:(?=:[A-Za-z-]+(?: .*)?::)")
"""What runners of CI services take for a command in what a step prints: ``##[error]`` and ``##vso[...]`` anywhere in a line,
``::error::`` at its start (actions/runner, ActionCommand)."""


def visible(text: str, limit: int = 2000) -> str:
    r"""``text`` on one line with every character a terminal could act on written as an escape (``\x1b``, ``\u202e``).

    So is what would make it a command to the runner of a CI service. Longer texts are cut to ``limit`` characters with a note of
    how many are missing.
    """
    cut = text[:limit]
    shown = cut if cut.isascii() and cut.isprintable() else "".join(map(_escape, cut))
    if "##" in shown or "::" in shown:
        shown = _COMMAND.sub(lambda found: found[0][:-1] + _escaped(found[0][-1]), shown)
    missing = len(text) - len(cut)
    return f"{shown}... ({missing} more characters)" if missing else shown


def _escape(char: str) -> str:
    return _escaped(char) if unicodedata.category(char) in _UNSAFE_CATEGORIES else char


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def json_without_commands(document: str) -> str:
    """The same JSON without what would make a line of it a command to the runner of a CI service.

    Two number signs, which only a string can have, begin one: the second is written as an escape (RFC 8259 7).
    """
    return document.replace("##", "#\\u0023")
