"""One look at a host for `ct audit`: what it serves is judged; then logs and search services are asked."""

from time import monotonic

from dnscertscan.cli.ct_audit_online import Online
from dnscertscan.cli.look import MAX_ADDRESSES, Look, no_certificate, where
from dnscertscan.cli.place import Place
from dnscertscan.cli.session import drive
from dnscertscan.ct.audit_make import Auditor
from dnscertscan.ct.audit_report import Audited, Point, Presented, Report, Status
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Deployment
from dnscertscan.pipeline import Stop

_MARGIN = 1.0
"""Seconds that are kept back for judging and telling."""


def presented(look: Look) -> tuple[Presented, ...]:
    """Every list that was served for the name, in the order of the addresses."""
    return tuple(_presented(target, deployment) for target, deployment in look.served())


def unanswered(look: Look) -> tuple[tuple[str, str, str], ...]:
    """Addresses without a certificate: where, why in a word, why in a sentence."""
    return tuple((target.endpoint.text, str(kind), said) for target, kind, said in look.silent())


def points(look: Look) -> tuple[Point, ...]:
    """What is to be said of the host."""
    if look.problem or not look.targets:
        return (Point(Status.UNKNOWN, look.problem or "the time ended before its addresses were known"),)
    answered = len(look.silent()) < len(look.targets)
    found = []
    if look.left_out:
        found.append(Point(Status.WARNING, f"{look.left_out} addresses more than {MAX_ADDRESSES} were not asked"))
    for target, kind, said in look.silent():
        status = Status.UNKNOWN if not answered else Status.WARNING
        if answered and ":" in target.endpoint.address and look.without_ipv6:
            status = Status.OK  # that is no news of the host
        found.append(Point(status, no_certificate(target, kind, said)))
    return (*found, *(Point(Status.OK, text) for text in look.incomplete()))


def _presented(target: Target, deployment: Deployment) -> Presented:
    staple = deployment.staple if deployment.staple is not None or deployment.scts is None else b""
    return Presented(deployment.chain, staple, deployment.scts, (where(target, deployment),))


def audit_host(place: Place, auditor: Auditor, online: Online, seconds: float) -> Report:
    """Look, judge, and ask others what was wanted; in ``seconds``, whatever the host does."""
    look, begun = Look(place, seconds), monotonic()
    cut: list[Point] = []

    async def work(stop: Stop) -> tuple[Audited, ...]:
        await stop.unless(look.go())
        if stop.reason:
            cut.append(Point(Status.UNKNOWN, f"not everything was looked at: {stop.reason}"))
        audited = auditor.audit_all(presented(look))
        if not online.is_wanted or stop.reason:
            return audited
        left = seconds - (monotonic() - begun) - _MARGIN
        told = await stop.unless(online.ask(audited, auditor, place.host, left))
        if told is None:
            cut.append(Point(Status.WARNING, f"what logs and search services have is not known: {stop.reason}"))
        return audited if told is None else told

    audited = drive(work, seconds)
    return Report(place.text, auditor.at, auditor.log_list, audited, (*cut, *points(look)), unanswered(look))
