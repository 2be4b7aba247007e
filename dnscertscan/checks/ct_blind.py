"""Sources that do not have what is served and what logs have signed for: their word on what is missing is worth nothing."""

from datetime import datetime
from typing import NamedTuple

from dnscertscan.checks.ct_rows import names_of
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Sct, SctVerdict
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Deployment, Handshake, Observation
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict
from dnscertscan.model.transparency import CtPolicy
from dnscertscan.pki.ct_audit import audit
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.parse import parse, serial_text
from dnscertscan.pki.sct import embedded_sct_list
from dnscertscan.pki.tbs import tbs_sha256

SINCE_START = "certspotter"
"""It knows only what was logged since it was started, so that nothing older is held against it."""
_WATCHED = 8192


class _Leaf(NamedTuple):
    """A served certificate that a log may have signed for: empty ``names`` for any other one."""

    names: tuple[str, ...]
    tbs: str
    serial: str


class Blind:
    """Looks for one certificate for each answer that should have it; the lowest digest, so that the order does not matter.

    An answer that is cut off is known not to have everything, and one whose rows have no identity may have it in one of them.
    """

    def __init__(self, sightings: Sightings | None, policy: CtPolicy, at: datetime) -> None:
        self._policy, self._at = policy, at
        self._answers: dict[DnsName, list[SearchResult]] = {}
        self._has = {tbs: frozenset(one.sources) for tbs, one in sightings.issuances.items()} if sightings else {}
        self._unread = {(one.source, one.serial) for one in sightings.unidentified} if sightings else set[tuple[str, str]]()
        self._leaves: Kept[str, _Leaf] = Kept(_WATCHED)
        self.found: dict[tuple[str, DnsName], str] = {}
        """(source, domain) -> SHA-256 of a certificate that it does not have."""
        for answer in sightings.answers if sightings else ():
            if answer.verdict is not Verdict.UNAVAILABLE and not answer.truncated and answer.source != SINCE_START:
                self._answers.setdefault(answer.domain, []).append(answer)

    @property
    def is_open(self) -> bool:
        """Whether there is any answer that something can be held against."""
        return bool(self._answers)

    def look(self, observation: Observation) -> tuple[()]:
        """Take note of one observation."""
        if self._answers and isinstance(observation.outcome, Handshake):
            for deployment in observation.outcome.deployments:
                if deployment.chain:
                    self._note(deployment)
        return ()

    def _note(self, deployment: Deployment) -> None:
        digest = deployment.chain[0].sha256
        leaf = self._leaves.get(digest)
        if leaf is None:
            leaf = self._read(deployment.chain[0])
            self._leaves.put(digest, leaf)
        signed: datetime | None = None
        for answer in self._about(leaf.names):
            known = self.found.get((answer.source, answer.domain))
            if answer.as_of is None or answer.source in self._has.get(leaf.tbs, ()) or (known is not None and known <= digest):
                continue
            if (answer.source, leaf.serial) in self._unread:
                continue
            signed = signed or self._signed(deployment)
            if answer.as_of - signed > self._policy.grace:
                self.found[answer.source, answer.domain] = digest

    def _read(self, certificate: Certificate) -> _Leaf:
        if embedded_sct_list(certificate) is None:
            return _Leaf((), "", "")
        facts = parse(certificate)
        # Services leave out what has expired.
        if facts.not_after is None or facts.not_after < self._at:
            return _Leaf((), "", "")
        return _Leaf(names_of(facts), tbs_sha256(certificate), serial_text(facts.serial))

    def _about(self, names: tuple[str, ...]) -> dict[SearchResult, None]:
        """The answers for the domains above the names."""
        found: dict[SearchResult, None] = {}
        for text in names:
            name = DnsName(text)
            while name.text:
                found.update(dict.fromkeys(self._answers.get(name, ())))
                name = name.parent
        return found

    def _signed(self, deployment: Deployment) -> datetime:
        """When the first log signed for it; the end of all time when none did."""
        results = audit(deployment.chain, self._policy.log_list, self._at).results
        times = (one.sct.at for one in results if one.verdict is SctVerdict.VALID and isinstance(one.sct, Sct))
        return min(times, default=datetime.max.replace(tzinfo=self._at.tzinfo))
