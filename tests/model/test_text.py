"""Nothing a terminal could act on survives `visible`."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.text import visible


def test_escapes() -> None:
    """Escape sequences, newlines, bidi marks and surrogates are written out; ordinary text of any script is not."""
    assert visible("\x1b[31mred\n\u202eevil\ud800") == "\\x1b[31mred\\x0a\\u202eevil\\ud800"
    assert visible("Zürich 東京 é") == "Zürich 東京 é"


def test_limit_says_what_is_missing() -> None:
    """A cut text says so."""
    assert visible("x" * 1_000_000, 10) == "xxxxxxxxxx... (999990 more characters)"


@given(st.text())
def test_result_is_one_printable_line(text: str) -> None:
    """No control, format, surrogate or separator character is left."""
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
