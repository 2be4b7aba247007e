"""Asking nameservers: cached, bounded in number and time, retried, over TCP when an answer does not fit into UDP."""

import asyncio
from collections.abc import Sequence

import dns.exception
import dns.name
import dns.resolver

from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.model.text import visible
from dnscertscan.resolve.addresses import unscannable
from dnscertscan.resolve.chase import Answer, Question, Status
from dnscertscan.resolve.exchange import Server, exchange, server_text
from dnscertscan.resolve.replies import Reply, merge, read_reply

RESOLV_CONF = "/etc/resolv.conf"
_SILENCE_LIMIT = 100
"""Look-ups in a row without any answer after which the nameservers are believed to be gone."""


class Resolver:
    """Answers questions through recursive nameservers. One object serves one run, in one event loop.

    ``nameservers`` are (IP literal, port); without any, those of ``resolv_conf`` are used, and none there is an answer
    (FAILED), not an exception. At most ``in_flight`` queries are open at a time. A query waits ``timeout`` seconds and goes
    to the next nameserver; a look-up takes at most ``2 * timeout * attempts`` seconds, where attempts is the larger of
    ``1 + retries`` and the number of nameservers.

    Counted per (name, type): ``asked``; ``answered``, a nameserver said something, be it SERVFAIL; ``failed``, nothing usable
    came. ``asked and not answered`` means: no nameserver works. Raises :class:`UsageError` for a nameserver that is no
    IP literal or has no valid port.
    """

    def __init__(
        self,
        nameservers: Sequence[Server] = (),
        in_flight: int = 50,
        timeout: float = 3.0,
        retries: int = 2,
        *,
        resolv_conf: str = RESOLV_CONF,
    ) -> None:
        for address, port in nameservers:
            _check(address, port)
        self.in_flight = in_flight
        self.asked = self.answered = self.failed = 0
        self._servers = tuple(nameservers)
        self._timeout = timeout
        self._attempts = 1 + retries
        self._resolv_conf = resolv_conf
        self._why_none = ""
        self._configured = bool(self._servers)
        self._preferred = 0
        self._silent_in_a_row = 0
        self._stopped = ""
        self._slots = asyncio.Semaphore(in_flight)
        self._cache: dict[tuple[str, str], Reply | asyncio.Future[Reply | None]] = {}

    async def lookup(self, question: Question) -> Answer:
        """The answer for a name, all address families together. Never raises for what a nameserver does."""
        replies: list[tuple[str, Reply]] = []
        for family in question.families:
            reply = await self._cached(question.name.text, family)
            replies.append((family, reply))
            if reply.silent or (reply.status is Status.NXDOMAIN and not reply.hops):
                break  # the other family would be the same silence, or the same name that does not exist (RFC 8020 2)
        return merge(replies)

    async def records(self, name: DnsName, kind: str) -> Reply:
        """What there is of one other record type, aliases followed. Never raises for what a nameserver does."""
        return await self._cached(name.text, kind)

    def stop(self, reason: str) -> None:
        """Answer everything not yet asked with FAILED and ``reason`` from now on: the run is ending."""
        self._stopped = reason

    async def _cached(self, name: str, family: str) -> Reply:
        key = (name, family)
        while True:
            known = self._cache.get(key)
            if isinstance(known, Reply):
                return known
            if known is None:
                return await self._first(key)
            reply = await asyncio.shield(known)
            if reply is not None:
                return reply
            # else the one who asked first was cancelled: it is our turn

    async def _first(self, key: tuple[str, str]) -> Reply:
        waiting: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        self._cache[key] = waiting
        reply: Reply | None = None
        try:
            async with self._slots:
                reply = await self._ask(*key)
        finally:
            if reply is None:
                del self._cache[key]
            else:
                self._cache[key] = reply
            waiting.set_result(reply)
        return reply

    async def _ask(self, text: str, family: str) -> Reply:
        if self._stopped:
            return Reply(Status.FAILED, reason=self._stopped, silent=True)
        try:
            name = dns.name.from_text(text + ".")
        except dns.exception.DNSException as error:
            return Reply(Status.FAILED, reason=f"this name cannot be asked for: {visible(str(error), 200)}")
        self.asked += 1
        if not self._nameservers():
            self.failed += 1
            return Reply(Status.FAILED, reason=self._why_none, silent=True)
        if not self.answered and self._silent_in_a_row >= _SILENCE_LIMIT:
            self.failed += 1
            return Reply(Status.FAILED, reason=f"no nameserver has answered yet ({self._server_list()})", silent=True)
        reply = await self._try_servers(name, family)
        if reply.silent:
            self._silent_in_a_row += 1
        else:
            self._silent_in_a_row = 0
            self.answered += 1
        self.failed += reply.status is Status.FAILED
        return reply

    async def _try_servers(self, name: dns.name.Name, family: str) -> Reply:
        """Ask one nameserver after the other, starting with the last that answered."""
        servers = self._nameservers()
        attempts = max(self._attempts, len(servers)) if self._silent_in_a_row < _SILENCE_LIMIT else 1
        start = self._preferred
        refused: dict[int, Reply] = {}
        broken = ""
        for attempt in range(attempts):
            which = (start + attempt) % len(servers)
            if which in refused:
                continue
            if self._stopped:
                return Reply(Status.FAILED, reason=self._stopped, silent=True)
            message, fault = await exchange(name, family, servers[which], self._timeout)
            if message is None:
                broken = fault or broken
                if self._preferred == which:
                    self._preferred = (which + 1) % len(servers)
                continue
            reply = read_reply(message, name, family, server_text(servers[which]))
            if reply.status is not Status.FAILED:
                self._preferred = which
                return reply
            refused[which] = reply
        if refused:
            return next(iter(refused.values()))
        return Reply(Status.FAILED, reason=broken or f"timeout (no answer from {self._server_list()})", silent=True)

    def _nameservers(self) -> tuple[Server, ...]:
        if not self._configured:
            self._configured = True
            self._servers, self._why_none = system_nameservers(self._resolv_conf)
        return self._servers

    def _server_list(self) -> str:
        return ", ".join(server_text(server) for server in self._servers)


def system_nameservers(path: str = RESOLV_CONF) -> tuple[tuple[Server, ...], str]:
    """The nameservers of this machine, and why there are none otherwise."""
    advice = "name one with --nameserver IP:PORT"
    try:
        system = dns.resolver.Resolver(filename=path)
    except (dns.exception.DNSException, OSError, ValueError):
        return (), f"no nameserver is known: {path} is missing, unreadable or names none; {advice}"
    return tuple((str(server), system.port) for server in system.nameservers), ""


def _check(address: str, port: int) -> None:
    if unscannable(address) == "not an IP address":
        raise UsageError(f"nameserver {visible(address, 80)!r} is not an IP address: write IP or IP:PORT, [IPv6]:PORT")
    if not 0 < port < 65536:
        raise UsageError(f"nameserver {visible(address, 80)} has port {port}: a port is 1 to 65535")
