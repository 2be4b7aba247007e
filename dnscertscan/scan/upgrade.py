"""Drives a STARTTLS dialogue over a wire."""

from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan.banner import escaped
from dnscertscan.scan.starttls import MAX_BLOCK, MAX_LINE, Dialogue, Exactly, Line, Send, Step, Until
from dnscertscan.scan.wire import Wire


class _Closed(Exception):  # noqa: N818 - an event of the dialogue, not an error of ours
    """The peer closed in the middle of a step."""


async def upgrade(wire: Wire, dialogue: Dialogue) -> Failure | None:
    """None when the TLS handshake may begin. Raises what the wire raises; a close in the middle is a Failure."""
    answer: bytes | None = None
    buffer = bytearray()
    try:
        while True:
            try:
                step = dialogue.send(answer) if answer is not None else next(dialogue)
            except StopIteration as end:
                wire.unread(bytes(buffer))
                outcome: Failure | None = end.value
                return outcome
            answer = await _do(wire, step, buffer)
    except _Closed:
        if wire.received == 0:
            return Failure(FailureKind.CLOSED, "closed before its greeting")
        return Failure(FailureKind.STARTTLS_REFUSED, f'closed during the STARTTLS dialogue after "{escaped(wire.first)}"')
    except OverflowError as too_long:
        return Failure(FailureKind.STARTTLS_REFUSED, f'{too_long}: "{escaped(wire.first)}"')


async def _do(wire: Wire, step: Step, buffer: bytearray) -> bytes:
    match step:
        case Send(data):
            await wire.send(data)
            return b""
        case Line():
            return (await _until(wire, buffer, (b"\n",), MAX_LINE)).rstrip(b"\r\n")
        case Exactly(size):
            while len(buffer) < size:
                await _more(wire, buffer)
            taken = bytes(buffer[:size])
            del buffer[:size]
            return taken
        case Until(marks):
            return await _until(wire, buffer, marks, MAX_BLOCK)


async def _until(wire: Wire, buffer: bytearray, marks: tuple[bytes, ...], limit: int) -> bytes:
    while True:
        ends = [at + len(mark) for mark in marks if (at := buffer.find(mark, 0, limit)) >= 0]
        if ends:
            taken = bytes(buffer[: min(ends)])
            del buffer[: min(ends)]
            return taken
        if len(buffer) >= limit:
            raise OverflowError(f"a line or stanza of more than {limit} octets")
        await _more(wire, buffer)


async def _more(wire: Wire, buffer: bytearray) -> None:
    data = await wire.receive()
    if not data:
        raise _Closed
    buffer += data
