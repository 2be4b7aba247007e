"""One piece of work for a worker process, and what has come back of it so far."""

import asyncio
from dataclasses import dataclass, field

from dnscertscan.scan.frames import Message


@dataclass(slots=True)
class Ticket:
    """``request`` and ``seconds`` go out; ``messages`` keeps everything that came back, over all attempts."""

    number: int
    body: Message
    seconds: float
    messages: list[Message] = field(default_factory=list)
    end: "asyncio.Future[str | None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """None when the worker finished the work, else why the worker died with it."""

    def request(self) -> Message:
        """What the worker is sent."""
        return {**self.body, "id": self.number, "seconds": self.seconds}

    def take(self, message: Message) -> None:
        """Something came back."""
        self.messages.append(message)
        if "done" in message and not self.end.done():
            self.end.set_result(None)

    def died(self, why: str) -> None:
        """The worker that had it is gone."""
        if not self.end.done():
            self.end.set_result(why)
