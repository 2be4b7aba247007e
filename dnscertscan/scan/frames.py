"""Messages between the scanner and its worker processes: length-prefixed JSON, octets as base64.

Not pickle: a worker speaks with hostile peers through old C code, so nothing it says may run here.
"""

import base64
import json
from typing import Any

MAX_FRAME = 64 << 20
Message = dict[str, Any]


class FrameError(ValueError):
    """The other side does not keep to the format."""


def encode(message: Message) -> bytes:
    """One frame."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return len(body).to_bytes(4) + body


class Frames:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete now."""
        self._buffer += data
        found: list[Message] = []
        while len(self._buffer) >= 4:
            length = int.from_bytes(self._buffer[:4])
            if length > MAX_FRAME:
                raise FrameError(f"a frame of {length} octets")
            if len(self._buffer) < 4 + length:
                break
            found.append(_decode(bytes(self._buffer[4 : 4 + length])))
            del self._buffer[: 4 + length]
        return found


def _decode(body: bytes) -> Message:
    try:
        message = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"a frame that is no JSON: {error}") from None
    if not isinstance(message, dict):
        raise FrameError("a frame that is no object")
    return message


def _refuse(name: str) -> None:
    raise FrameError(f"a frame with {name}, which is no JSON")


def pack(octets: bytes) -> str:
    """Octets as text."""
    return base64.b64encode(octets).decode("ascii")


def unpack(text: str) -> bytes:
    """The octets of :func:`pack`. Raises ValueError."""
    return base64.b64decode(text, validate=True)
