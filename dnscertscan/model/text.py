"""How text from outside (DNS, certificates, servers) is made safe to show.

Values keep the raw text; every output that a person or a shell may see passes it through here.
"""

import unicodedata

# Cc control, Cf format (bidi marks, zero width), Cs surrogate, Co private, Cn unassigned, Zl/Zp line and paragraph separators.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, limit: int = 2000) -> str:
    r"""``text`` on one line with every character a terminal could act on written as an escape (``\x1b``, ``\u202e``).

    Longer texts are cut to ``limit`` characters with a note of how many are missing.
    """
    cut = text[:limit]
    shown = cut if cut.isascii() and cut.isprintable() else "".join(map(_escape, cut))
    missing = len(text) - len(cut)
    return f"{shown}... ({missing} more characters)" if missing else shown


def _escape(char: str) -> str:
    if unicodedata.category(char) not in _UNSAFE_CATEGORIES:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
