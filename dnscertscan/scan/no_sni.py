"""What endpoints show to clients that name no host: asked once per endpoint and shared by all names there."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from dnscertscan.model.endpoints import Endpoint
from dnscertscan.scan.merge import Received
from dnscertscan.scan.starttls import NAMED_BEFORE_TLS

_MOST = 4096
_PATIENCE = 1.0
_TRIES = 3


@dataclass(slots=True)
class Answer:
    """``received`` is None where the endpoint showed no list: it refused, or three in a row got no answer at all."""

    received: Received | None


_Key = tuple[Endpoint, str]


class NoSniLists:
    """Answers by (endpoint, protocol), a bounded number. For use inside one event loop.

    The first who wants an answer gets the task to ask; those who come while he asks wait a moment, then ask themselves.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[_Key, asyncio.Future[Answer | None]] = OrderedDict()
        self._in_vain: OrderedDict[_Key, int] = OrderedDict()

    async def get(self, endpoint: Endpoint, protocol: str, seconds: float) -> Answer | None:
        """The answer, or None: the caller should ask, and call :meth:`put`, :meth:`no_answer` or :meth:`give_up`."""
        if endpoint.service in NAMED_BEFORE_TLS:
            return None
        key = (endpoint, protocol)
        if (asked := self._answers.get(key)) is None:
            self._answers[key] = asyncio.get_running_loop().create_future()
            if len(self._answers) > _MOST:
                self._settle(self._answers.popitem(last=False)[1], None)
            return None
        self._answers.move_to_end(key)
        with suppress(TimeoutError):
            async with asyncio.timeout(min(_PATIENCE, seconds / 4)):
                return await asyncio.shield(asked)
        return None

    def put(self, endpoint: Endpoint, protocol: str, received: Received | None) -> None:
        """The endpoint has answered."""
        if (asked := self._answers.get((endpoint, protocol))) is not None:
            self._settle(asked, Answer(received))

    def no_answer(self, endpoint: Endpoint, protocol: str) -> None:
        """It was asked and has said nothing: the next one asks, but not for ever."""
        key = (endpoint, protocol)
        self._in_vain[key] = self._in_vain.get(key, 0) + 1
        self._in_vain.move_to_end(key)
        if len(self._in_vain) > _MOST:
            self._in_vain.popitem(last=False)
        if self._in_vain.get(key, 0) >= _TRIES:
            self.put(endpoint, protocol, None)
        else:
            self.give_up(endpoint, protocol)

    def give_up(self, endpoint: Endpoint, protocol: str) -> None:
        """Nothing was found out; the next one asks."""
        asked = self._answers.get((endpoint, protocol))
        if asked is not None and not asked.done():
            del self._answers[endpoint, protocol]
            self._settle(asked, None)

    @staticmethod
    def _settle(asked: "asyncio.Future[Answer | None]", answer: Answer | None) -> None:
        if not asked.done():
            asked.set_result(answer)
