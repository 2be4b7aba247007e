"""Text in the cells of a terminal: East Asian characters take two of them, combining marks none (Unicode, UAX 11)."""

import textwrap

from rich.cells import cell_len

_FILLER = "\x00"
"""Stands after a character of two cells while lines are made, so that one character is one cell; safe text has none."""


def cells(text: str) -> int:
    """How many cells the text takes; ``text`` is safe to print."""
    return len(text) if text.isascii() else cell_len(text)


def pad(text: str, size: int) -> str:
    """The text with blanks after it, ``size`` cells in all or more."""
    return text + " " * (size - cells(text))


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of at most ``width`` cells without white space around them; ``indent`` is room left free in all but the first.

    A width of 0 is no limit.
    """
    if not width or cells(text) <= width:
        return [text.strip()]
    wide = not text.isascii() and any(cell_len(char) > 1 for char in text)
    room = width - 1 if wide else width  # a line may end between a character and its filler
    filled = "".join(f"{char}{_FILLER}" if cell_len(char) > 1 else char for char in text) if wide else text
    lines = textwrap.wrap(filled, max(room, len(indent) + 1), subsequent_indent=indent, break_on_hyphens=False)
    return [line.replace(_FILLER, "").strip() for line in lines]
