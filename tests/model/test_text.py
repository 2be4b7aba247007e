"""Nothing a terminal could act on survives `visible`."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.text import visible


def test_escapes() -> None:
    """Escape sequences, newlines, bidi marks and surrogates are written out; ordinary text of any script is not."""
    assert visible("\x1b[31mred\n\u202eevil\ud800") == "\\x1b[31mred\\x0a\\u202eevil\\ud800"
    assert visible("Zürich 東京 é") == "Zürich 東京 é"


@pytest.mark.parametrize(("text", "shown"), [
    ("CN=a##[stop-commands]t", "CN=a#\\x23[stop-commands]t"), ("###[x]", "##\\x23[x]"), ("##vso[task.x]y", "#\\x23vso[task.x]y"),
    ("::error::x", "\\x3a:error::x"), (" ::add-mask a=b::x", " \\x3a:add-mask a=b::x"),
    ("## no command", "## no command"), ("::1 and ::2", "::1 and ::2"), ("a::b::c", "a::b::c"), ("::", "::"),
])
def test_commands_to_runners(text: str, shown: str) -> None:
    """What the runner of a CI service would obey is broken; what only looks a little like it is not."""
    assert visible(text) == shown


def test_limit_says_what_is_missing() -> None:
    """A cut text says so."""
    assert visible("x" * 1_000_000, 10) == "xxxxxxxxxx... (999990 more characters)"


@given(st.text())
def test_result_is_one_printable_line(text: str) -> None:
    """No control, format, surrogate or separator character is left."""
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
