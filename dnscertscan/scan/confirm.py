"""SSLyze's look at an endpoint that our own handshakes have read: what it is asked, and how its answer is put to ours."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.observations import ClientAuth, Failure, FailureKind, Handshake, StoreVerdict
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.frames import pack, unpack
from dnscertscan.scan.merge import NO_SNI, Chain, Judged, Received, deployments
from dnscertscan.scan.no_sni import NoSniLists
from dnscertscan.scan.workers import Answer, WorkerPool

_WORKER = "dnscertscan.scan.sslyze_worker"
_MAX_THREADS = 64
_STALL = 3.0


class Confirmer(AbstractAsyncContextManager["Confirmer"]):
    """SSLyze in ``processes`` worker processes, for one scan. Use as an async context."""

    def __init__(self, settings: ScanSettings, processes: int) -> None:
        self._max_bytes = settings.max_bytes
        self._no_sni = NoSniLists()
        self._pool = WorkerPool(
            _WORKER, size=processes, capacity=min(_MAX_THREADS, -(-settings.concurrency // processes)),
            memory=settings.worker_memory, stall=max(_STALL / 2, min(_STALL, settings.timeout / 2)), recycle=settings.recycle,
        )

    async def __aenter__(self) -> "Confirmer":
        await self._pool.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._pool.__aexit__(*details)

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes that are alive now."""
        return self._pool.pids

    async def look(self, target: Target, ours: Handshake, at: datetime, seconds: float) -> Handshake:
        """``ours`` with every list that SSLyze is shown within ``seconds``, and its verdicts on all of them.

        What SSLyze sent before it was no more counts; ``engine_failure`` then says that there may be more.
        """
        shared = await self._no_sni.get(target.endpoint, ours.protocol, seconds)
        received = _seen(ours)
        if shared is not None and shared.received is not None:
            received.append(shared.received)
        chains = list(dict.fromkeys(one.chain for one in received))
        request = {
            "address": target.endpoint.address, "port": target.endpoint.port, "service": target.endpoint.service,
            "name": target.server_name.text, "protocol": ours.protocol, "client_auth": ours.client_auth is not ClientAuth.NONE,
            "chains": [[pack(der) for der in chain] for chain in chains], "first_look": received[0].how == ours.protocol,
            "no_sni": shared is None, "at": at.isoformat(), "max_bytes": self._max_bytes,
        }
        try:
            answer = await self._pool.run(request, seconds)
            heard = _heard(answer, chains)
            if shared is None and answer.failure is None:
                self._share(target.endpoint, ours.protocol, heard)
        finally:
            if shared is None:
                self._no_sni.give_up(target.endpoint, ours.protocol)
        shown = {one.how for one in heard.received}
        still = [one for one in ours.unanswered if one.partition(":")[0] not in shown]
        return replace(
            ours, deployments=deployments([*received, *heard.received], heard.judged),
            unanswered=tuple(dict.fromkeys((*still, *heard.unanswered))),
            engine_failure=Failure(FailureKind.ENGINE, f"SSLyze: {heard.problem}") if heard.problem else ours.engine_failure,
        )

    def _share(self, endpoint: Endpoint, protocol: str, heard: "_Heard") -> None:
        if heard.no_sni_unanswered:
            self._no_sni.no_answer(endpoint, protocol)
        else:
            self._no_sni.put(endpoint, protocol, next((one for one in heard.received if one.how == NO_SNI), None))


def _seen(ours: Handshake) -> list[Received]:
    """Our own lists, that of the current protocol first."""
    found = [
        Received(tuple(one.der for one in deployment.chain), how, deployment.staple, deployment.scts)
        for deployment in ours.deployments for how in deployment.how
    ]
    return sorted(found, key=lambda one: one.how != ours.protocol)


@dataclass(slots=True)
class _Heard:
    """What SSLyze's messages say."""

    received: list[Received] = field(default_factory=list)
    judged: dict[Chain, Judged] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    no_sni_unanswered: bool = False
    problem: str = ""


def _heard(answer: Answer, chains: list[Chain]) -> _Heard:
    """Lists have numbers: those of the request come first, and each worker that works on it numbers the new ones after them."""
    heard, known = _Heard(problem=answer.failure or ""), dict(enumerate(chains))
    for message in answer.messages:
        if "list" in message:
            known[message["list"]] = tuple(unpack(der) for der in message["chain"])
            heard.received.append(Received(known[message["list"]], message["how"]))
        for number, how, staple in message.get("shown", ()):
            heard.received.append(Received(known[number], how, unpack(staple) if staple else None))
        for number, verdicts, unjudged in message.get("judged", ()):
            heard.judged[known[number]] = Judged(_in_order(verdicts), unjudged)
        heard.unanswered += message.get("unanswered", ())
        heard.no_sni_unanswered |= bool(message.get("no_sni_unanswered"))
        heard.problem = heard.problem or str(message.get("crash") or "; ".join(message.get("faults", ())))
    return heard


def _in_order(verdicts: Iterable[tuple[str, bool, str | None]]) -> tuple[StoreVerdict, ...]:
    return tuple(StoreVerdict(store, trusted, reason) for store, trusted, reason in sorted(verdicts))
