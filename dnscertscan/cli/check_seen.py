"""What `check` makes of a look at a host: points with the status of a monitoring plug-in, and the certificates. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dnscertscan.checks.judge import Judge
from dnscertscan.cli.look import MAX_ADDRESSES, Look, no_certificate, where
from dnscertscan.ct.audit_issuers import Issuers, Pins
from dnscertscan.ct.audit_points import pin_points
from dnscertscan.ct.audit_report import Point, Status
from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import ClientAuth, FailureKind, Handshake, Observation
from dnscertscan.model.text import visible
from dnscertscan.pki.parse import reference

_STATUS = {Severity.ERROR: Status.CRITICAL, Severity.WARNING: Status.WARNING, Severity.INFO: Status.OK}
_OURS = frozenset({"engine-failed", "check-crashed"})
"""Rules that tell of trouble of this program: no news of the host."""
_NOT_CONNECTED = frozenset({FailureKind.REFUSED, FailureKind.UNREACHABLE, FailureKind.TIMEOUT})
_NOT_ASKED = frozenset({FailureKind.ENGINE, FailureKind.DEADLINE, FailureKind.UNSCANNABLE_NAME})
_EXPIRING = "cert-expiring"
_SHOWN_PLACES = 8
_MAX_PATH = 20


@dataclass(frozen=True, slots=True)
class Rules:
    """What a host is judged by. ``unreachable`` is the status of a host nobody can connect to; ``pins`` are CAs that may issue.

    ``own_range``: the caller has a range for the days that are left, so that the policy's threshold does not count.
    """

    judge: Judge
    at: datetime
    unreachable: Status = Status.CRITICAL
    pins: Pins = field(default_factory=Pins)
    issuers: Issuers | None = None
    own_range: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """One certificate that is served for the name. ``end`` is when it, or an issuer on its path, ends first."""

    leaf: CertificateRef
    end: datetime | None
    places: tuple[str, ...]

    @property
    def lifetime(self) -> timedelta:
        """How long the certificate itself is valid from its first to its last moment."""
        start, end = self.leaf.not_before, self.leaf.not_after
        return end - start if start and end else timedelta(0)

    def left(self, at: datetime) -> timedelta | None:
        """What is left of it at ``at``; negative when it has ended."""
        return None if self.end is None else self.end - at


@dataclass(frozen=True, slots=True)
class Seen:
    """The whole: what to say, the certificates in the order of addresses, how many addresses there are and gave none."""

    points: tuple[Point, ...]
    served: tuple[Served, ...]
    addresses: int
    silent: int


def judge_look(look: Look, rules: Rules, cut: str | None = None) -> Seen:
    """Judge everything that was seen; ``cut`` says why there may be more."""
    observations = [_as_asked(look, observation) for target in look.targets if (observation := look.seen.get(target))]
    answered = [one for one in observations if isinstance(one.outcome, Handshake)]
    rules.judge.learn(answered)
    findings = [finding for one in answered for finding in rules.judge.endpoint(one)]
    findings += rules.judge.fleet(answered)
    if rules.own_range:
        findings = [finding for finding in findings if finding.rule.slug != _EXPIRING]
    points = [*_points(findings), *_pinned(look, rules), *_missing(look, rules, answered=bool(answered))]
    if cut:
        points.append(Point(Status.UNKNOWN, f"not everything was looked at: {cut}"))
    points += (Point(Status.OK, text) for text in (*look.incomplete(), *_asking(answered), look.place.hint) if text)
    return Seen(tuple(points), _served(look, answered, rules.judge), len(look.targets), len(look.silent()))


def _asking(answered: Iterable[Observation]) -> Iterator[str]:
    """Servers that ask for a certificate of ours; that one insists on it is a finding."""
    for one in answered:
        if isinstance(one.outcome, Handshake) and one.outcome.client_auth is ClientAuth.REQUESTED:
            yield f"{one.target.endpoint.text}: the server asks for a client certificate, and went on without one"


def _as_asked(look: Look, observation: Observation) -> Observation:
    """The same with the name that the certificate has to be for; in the handshake an IPv6 address asks for no name."""
    target = observation.target
    if ":" not in look.place.name:
        return observation
    return replace(observation, target=Target(target.endpoint, DnsName(look.place.name), target.provenance))


def _points(findings: Iterable[Finding]) -> Iterator[Point]:
    """One for each problem, whichever addresses have it."""
    places: dict[tuple[str, Severity, str], list[str]] = {}
    ours: set[str] = set()
    for finding in findings:
        subject = finding.subject
        place = Endpoint(subject.ip_address, subject.port or 0).text if subject.ip_address else ""
        key = (finding.rule.code, finding.severity, visible(finding.message, 800))
        places.setdefault(key, []).extend([place] if place else [])
        if finding.rule.slug in _OURS:
            ours.add(finding.rule.code)
    for (code, severity, message), found in places.items():
        status = Status.UNKNOWN if code in ours else _STATUS[severity]
        yield Point(status, f"{message} [{code}]{_at(found)}")


def _at(places: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(places))
    more = f" and {len(distinct) - _SHOWN_PLACES} more" if len(distinct) > _SHOWN_PLACES else ""
    return f" at {', '.join(distinct[:_SHOWN_PLACES])}{more}" if distinct else ""


def _pinned(look: Look, rules: Rules) -> Iterator[Point]:
    told: set[Point] = set()
    for _, deployment in look.served() if rules.issuers else ():
        if rules.issuers and deployment.chain:
            points = pin_points(rules.pins, rules.issuers.ancestry(deployment.chain), deployment.chain[0])
            new = [point for point in points if point not in told]
            told.update(new)
            yield from new


def _missing(look: Look, rules: Rules, *, answered: bool) -> Iterator[Point]:
    """Addresses without a certificate, and what keeps them from being known."""
    if look.problem:
        unknown = look.unresolved
        advice = "; this machine's resolver gave no answer" if unknown else ""
        yield Point(Status.UNKNOWN if unknown else rules.unreachable, f"{look.problem}{advice}")
    elif not look.targets:
        yield Point(Status.UNKNOWN, "the time ended before its addresses were known")
    if look.left_out:
        yield Point(Status.WARNING, f"{look.left_out} addresses more than {MAX_ADDRESSES} were not asked")
    for target, kind, said in look.silent():
        ours = ":" in target.endpoint.address and look.without_ipv6
        yield Point(_silence(kind, rules.unreachable, answered=answered, ours=ours), no_certificate(target, kind, said))


def _silence(kind: FailureKind, unreachable: Status, *, answered: bool, ours: bool) -> Status:
    """Who cannot connect tries the next address: bad, but no outage while there is one. Who can and gets no TLS is lost.

    ``ours``: it is this machine that has no way there.
    """
    if kind in _NOT_ASKED:
        return Status.UNKNOWN
    if kind not in _NOT_CONNECTED:
        return Status.CRITICAL
    if not answered:
        return unreachable
    return Status.OK if ours or unreachable is Status.OK else Status.WARNING


def _served(look: Look, answered: Sequence[Observation], judge: Judge) -> tuple[Served, ...]:
    issuers = {link.certificate.sha256: link.issuer for one in answered for link in judge.links(one)}
    found: dict[str, Served] = {}
    for target, deployment in look.served():
        if deployment.chain:
            leaf, place = deployment.chain[0], where(target, deployment)
            old = found.get(leaf.sha256)
            found[leaf.sha256] = Served(reference(leaf, 0), _end(leaf, issuers), (*old.places, place) if old else (place,))
    return tuple(found.values())


def _end(leaf: Certificate, issuers: Mapping[str, Certificate]) -> datetime | None:
    """When the first of the certificate and the issuers on its path ends; others that are sent do not matter."""
    end, above = reference(leaf, 0).not_after, issuers.get(leaf.sha256)
    for _ in range(_MAX_PATH):
        ends = reference(above, None).not_after if above else None
        if end is None or above is None or ends is None:
            break
        end, above = min(end, ends), issuers.get(above.sha256)
    return end
