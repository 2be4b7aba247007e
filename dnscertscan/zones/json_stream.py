"""A large JSON object member by member: lists come element by element, so that the document never stands in memory as values.

The syntax and its errors are those of :mod:`json`, which reads every value and words every error; only the outermost object
and the lists directly in it are taken apart here.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Pairs = list[tuple[str, Any]]
_SPACE = re.compile(r"[ \t\n\r]*")


class DocumentError(ValueError):
    """The document is no JSON, or no object: ``cause`` is the library's error, or NoObjectError."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class NoObjectError(ValueError):
    """The document is valid JSON, but no object; ``value`` is what it is (objects inside it are empty)."""

    def __init__(self, value: Any) -> None:
        super().__init__("no object")
        self.value = value


class Members:
    """Iterates over (key, value) of the object in ``text``; a value that is a list is an iterator over its elements.

    Such an iterator is good until the next member is asked for, which reads what is left of it. ``as_object`` makes the
    values of objects from their pairs. Both raise DocumentError with what :func:`json.loads` raises for the document
    (json.JSONDecodeError, RecursionError, ValueError), once they get there.
    """

    def __init__(self, text: str, as_object: Callable[[Pairs], Any]) -> None:
        self._text = text
        self._read = json.JSONDecoder(object_pairs_hook=as_object).raw_decode
        self._at = 0

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        self._at = 0
        if self._next() != "{":
            raise self._error()
        self._at += 1
        more = self._next() != "}"
        while more:
            if self._next() != '"':
                raise self._error()
            key: str = self._value()
            if self._next() != ":":
                raise self._error()
            self._at += 1
            if self._next() == "[":
                elements = self._elements()
                yield key, elements
                for _ in elements:
                    pass
            else:
                yield key, self._value()
            more = self._goes_on("}")
        self._at += 1
        if self._next():
            raise self._error()

    def _elements(self) -> Iterator[Any]:
        self._at += 1
        more = self._next() != "]"
        while more:
            yield self._value()
            more = self._goes_on("]")
        self._at += 1

    def _goes_on(self, end: str) -> bool:
        """Whether a comma and then another element follow; otherwise ``end`` stands here."""
        char = self._next()
        if char == ",":
            self._at += 1
            if self._next() == end:
                raise self._error()
            return True
        if char != end:
            raise self._error()
        return False

    def _next(self) -> str:
        """The next character that is no white space, which is where we are now; empty at the end."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _value(self) -> Any:
        try:
            value, self._at = self._read(self._text, self._at)
        except (ValueError, RecursionError) as error:
            raise DocumentError(error) from None
        return value

    def _error(self) -> DocumentError:
        """What is wrong with the document as a whole, in the words of the library."""
        try:
            value = json.loads(self._text, object_pairs_hook=_nothing)
        except (ValueError, RecursionError) as error:
            return DocumentError(error)
        return DocumentError(NoObjectError(value))


def _nothing(_pairs: Pairs) -> dict[str, Any]:
    return {}
