"""One run in this process with everything it tells and all that its judge learns of CT; the engine is a made-up one.

    whole = Whole(tmp_path, log, Transparency(asking(crtsh), caa=caa()))
    report = whole.go()
    whole.facts, whole.notes
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from servers.ct_issue import issue, model_list
from servers.ct_log import CtLog
from servers.ct_log_der import der
from servers.fake_search import CrtSh
from servers.judging import deployment, observed

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy, TrustMode
from dnscertscan.ct.clients import Limits
from dnscertscan.ct.search import Wanted, open_sources
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_values import Source
from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Observation
from dnscertscan.model.report import Report
from dnscertscan.model.transparency import CtFacts, CtPolicy
from dnscertscan.pipeline import Event, Parts, Stop, run
from dnscertscan.pipeline.ct_search import Services
from dnscertscan.pipeline.events import Note
from dnscertscan.pipeline.transparency import Caa, Transparency
from dnscertscan.pki.truststore import TrustStore
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, record_text
from dnscertscan.zones.json_file import JsonFileSource

NOW = datetime.now(UTC)  # of the import; a run is judged at its own time, which may be minutes later
ROOT = Authority.root("Beside Root", now=NOW)
ISSUER = ROOT.intermediate("Beside Issuer")
QUICK = Limits(timeout=1.0, seconds=5.0, per_minute=60_000, burst=100, attempts=2, pause=0.1)
RECORDS = [
    {"type": "SOA", "name": "@", "ttl": 1, "target": "ns.example.com. h.example.com. 1 1 1 1 1"},
    {"type": "A", "name": "www", "ttl": 1, "target": "192.0.2.1"},
    {"type": "A", "name": "*.apps", "ttl": 1, "target": "192.0.2.2"},
    {"type": "CAA", "name": "@", "ttl": 1, "target": '0 issue "ca.test"'},
]


class Engine:
    """Shows the certificate of each name, ``seconds`` after it was asked."""

    name = "in-memory"

    def __init__(self, chain: tuple[Certificate, ...], seconds: float = 0.0) -> None:
        self._chain, self._seconds = chain, seconds
        self.asked: list[str] = []

    async def scan(self, targets: Iterable[Target], *, gentle: bool = False) -> AsyncIterator[Observation]:
        for target in targets:
            self.asked.append(target.server_name.text)
            await asyncio.sleep(self._seconds)
            yield observed(target, deployment(*self._chain), at=NOW)


def asking(crtsh: CrtSh, seconds: float = 20.0) -> Services:
    def opened(means: Means) -> tuple[Source, ...]:
        quick = replace(means, pause=0.01, attempts=2)
        return open_sources([Wanted("crtsh", crtsh.url.rstrip("/"), per_minute=6000)], quick, {})

    return Services(opened, seconds, timeout=2.0)


class Whole:
    """One run with everything it told and all that the judge learnt."""

    def __init__(self, folder: Path, log: CtLog, ct: Transparency | None, *, seconds: float = 0.0) -> None:
        self.issued = issue(ISSUER, "www.example.com", logs=[log])
        self.events: list[Event] = []
        self.facts: list[CtFacts] = []
        place = folder / "zones.json"
        place.write_text(json.dumps({"example.com": RECORDS}))
        anchors = (TrustStore("house", (Certificate(der(ROOT.certificate)),)),)
        logs = model_list(log)
        policy = CtPolicy(logs, log_private=True)
        judge = Judge(CheckPolicy(trust=TrustMode.PRIVATE), (), anchors, datetime.now(UTC), record_text=record_text, ct=policy)
        learn = judge.learn_ct

        def listen(facts: CtFacts) -> None:
            self.facts.append(facts)
            learn(facts)

        judge.learn_ct = listen  # type: ignore[method-assign]  # to see what is learnt
        self.engine = Engine(tuple(Certificate(der(one)) for one in self.issued.chain), seconds)
        self.parts = Parts(
            [JsonFileSource(place)], Resolver((("127.0.0.1", 1),)), MapSettings(), self.engine, judge,
            lambda: datetime.now(UTC), ct=ct, log_list=logs,
        )

    def go(self, stop_after: float | None = None) -> Report:
        held: list[Report] = []

        async def whole() -> None:
            stop = Stop()
            if stop_after is not None:
                asyncio.get_running_loop().call_later(stop_after, stop.now, "deadline of the test")
            held.append(await run(self.parts, self.events.append, stop))

        asyncio.run(whole())
        return held[0]

    def told(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def notes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Note)]


def caa() -> Caa:
    resolver = Resolver((("127.0.0.1", 1),), timeout=0.2, retries=0)
    return Caa(resolver, 5.0)
