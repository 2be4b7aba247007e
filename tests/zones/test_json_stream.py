"""Reading a JSON object member by member: json.loads is the yardstick, for values and for errors."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnscertscan.zones.json_stream import DocumentError, Members, NoObjectError, Pairs

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
WRONG = st.sampled_from(["", ",", ":", "]", "}", "[", "{", '"', "\n", "\0", "1", "\ufeff"])
SPACE = st.sampled_from([None, 1, "\t"])


def read(text: str) -> list[tuple[str, Any]]:
    """Every member, lists made whole again; objects inside are their pairs, so that nothing written twice is lost."""
    return [(key, list(value) if hasattr(value, "__next__") else value) for key, value in Members(text, _pairs)]


def whole(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_pairs)


def _pairs(pairs: Pairs) -> Pairs:
    return pairs


def outcome(reader: Any, text: str) -> Any:
    """What a reader gives, or its error: kind, words and place."""
    try:
        return reader(text)
    except DocumentError as error:
        fault: Exception = error.cause
    except (ValueError, RecursionError) as error:
        fault = error
    if isinstance(fault, json.JSONDecodeError):
        return fault.msg, fault.lineno, fault.colno, fault.pos
    return type(fault).__name__


@settings(deadline=None)  # a busy machine is no fault of the code
@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5), SPACE)
def test_values_are_those_of_the_library(document: dict[str, Any], indent: int | str | None) -> None:
    """Any object, written tight or wide, comes out as the library reads it."""
    text = json.dumps(document, indent=indent)
    assert read(text) == whole(text)


@settings(deadline=None, max_examples=400)
@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), SPACE, st.data())
def test_errors_are_those_of_the_library(document: dict[str, Any], indent: int | str | None, data: st.DataObject) -> None:
    """An object with a piece cut out, doubled or replaced: the same values, or the same error at the same place."""
    text = json.dumps(document, indent=indent)
    start = data.draw(st.integers(0, len(text)))
    end = min(len(text), start + data.draw(st.integers(0, 3)))
    broken = text[:start] + data.draw(WRONG) + text[end:]
    expected = outcome(whole, broken)
    if not broken.lstrip(" \t\n\r").startswith("{") and not isinstance(expected, tuple):
        expected = "NoObjectError"
    assert outcome(read, broken) == expected


@pytest.mark.parametrize(
    "text", ['{"a":[1,]}', '{"a":[1],}', '{"a":[1 2]}', '{"a":[1]', '{"a":[', '{"a":', '{"a"', '{"a', "{", "{1}", ""]
)
def test_every_place_a_document_can_end_or_go_wrong(text: str) -> None:
    """At each step of the two outer levels the error is the library's own."""
    assert isinstance(outcome(whole, text), tuple)
    assert outcome(read, text) == outcome(whole, text)


def test_what_is_no_object_is_named() -> None:
    """A list or a number as document is valid JSON, but not what was wanted."""
    for text, value in (("[1, {}]", [1, {}]), ("7", 7), ("null", None)):
        with pytest.raises(DocumentError) as caught:
            read(text)
        assert isinstance(caught.value.cause, NoObjectError)
        assert caught.value.cause.value == value


def test_a_list_left_half_read_does_not_lose_the_place() -> None:
    """Whoever loses interest in a list gets the next member all the same, and errors in the rest are found."""
    assert [key for key, _ in Members('{"a": [1, 2, 3], "b": [], "c": 1}', dict)] == ["a", "b", "c"]
    with pytest.raises(DocumentError):
        list(Members('{"a": [1, 2, }', dict))
