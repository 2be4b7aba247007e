"""One worker process with the tickets it has in work."""

from collections.abc import Callable

from dnscertscan.scan.child import Child
from dnscertscan.scan.frames import Message
from dnscertscan.scan.ticket import Ticket


class WorkerProcess:
    """A process that runs ``module.main()``, with the tickets it has in work. Raises OSError when it cannot be started.

    ``changed`` is called when it can take a ticket; ``ended`` once, when it is gone, with what is known of the reason.
    """

    def __init__(
        self, module: str, capacity: int, memory: int, changed: Callable[[], None], ended: Callable[["WorkerProcess", str], None]
    ) -> None:
        self.capacity = capacity
        self.in_work: dict[int, Ticket] = {}
        self.given = 0
        self.started = False
        self._changed = changed
        self._child = Child(module, {"capacity": capacity, "memory": memory}, self._take, lambda why: ended(self, why))

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    @property
    def gone(self) -> bool:
        """Whether it has ended, or was told to."""
        return self._child.gone

    @property
    def last_heard(self) -> float:
        """Loop time of its last sign of life."""
        return self._child.last_heard

    @last_heard.setter
    def last_heard(self, when: float) -> None:
        self._child.last_heard = when

    @property
    def has_room(self) -> bool:
        """Whether one more ticket may be given to it now."""
        return self.started and not self.gone and len(self.in_work) < self.capacity

    def give(self, ticket: Ticket) -> None:
        """Put a ticket into work."""
        self.in_work[ticket.number] = ticket
        self.given += 1
        self._child.send(ticket.request())

    def kill(self, why: str) -> None:
        """End the process now; ``ended`` is called as soon as its end of the socket is closed."""
        self._child.kill(why)

    async def close(self) -> None:
        """End the process and wait until nothing of it is left."""
        await self._child.close()

    def _take(self, message: Message) -> None:
        if "ready" in message:
            self.started = True
            self._changed()
        elif "id" in message and (ticket := self.in_work.get(message["id"])) is not None:
            if "done" in message:
                del self.in_work[ticket.number]
                self._changed()
            ticket.take(message)
