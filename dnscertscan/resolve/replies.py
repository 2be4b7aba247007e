"""Reading DNS messages into answers: pure, and suspicious of whatever a nameserver sends."""

from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Hop
from dnscertscan.resolve.addresses import canonical
from dnscertscan.resolve.chase import Answer, Status

_MAX_CHAIN = 64
"""Alias steps read from one message; the chase gives up long before."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one question for one record type. ``silent``: no nameserver answered at all.

    ``addresses`` of types other than A and AAAA are their rdata as text.
    """

    status: Status
    hops: tuple[Hop, ...] = ()
    addresses: tuple[str, ...] = ()
    reason: str = ""
    silent: bool = False


def read_reply(message: dns.message.Message, name: dns.name.Name, family: str, server: str) -> Reply:
    """What ``server`` says about ``name``. FAILED is an answer that another nameserver may know better."""
    rcode = message.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Reply(Status.FAILED, reason=f"{dns.rcode.to_text(rcode)} (from {server})")
    aliases, addresses = _answer_section(message.answer, dns.rdatatype.from_text(family))
    hops: list[Hop] = []
    passed = {name}
    while (target := aliases.get(name)) is not None and len(hops) < _MAX_CHAIN:
        hops.append(Hop(_text(name), "CNAME", _text(target), f"resolver {server}"))
        name = target
        if name in passed:
            break
        passed.add(name)
    if found := addresses.get(name):
        return Reply(Status.DATA, tuple(hops), found)
    if rcode == dns.rcode.NXDOMAIN:
        return Reply(Status.NXDOMAIN, tuple(hops))  # it speaks of the last name of the chain (RFC 6604 3)
    if not hops and _is_referral(message):
        return Reply(Status.FAILED, reason=f"a referral instead of an answer: no recursion (from {server})")
    return Reply(Status.NO_DATA, tuple(hops))


def merge(replies: Sequence[tuple[str, Reply]]) -> Answer:
    """One answer from the replies for each address family. One family failing beside data is told in ``reason``."""
    failed = tuple((family, reply) for family, reply in replies if reply.status is Status.FAILED)
    data = [reply for _, reply in replies if reply.status is Status.DATA]
    if data:
        addresses = dict.fromkeys(address for reply in data for address in reply.addresses)
        return Answer(Status.DATA, data[0].hops, tuple(addresses), _failures(failed))
    if any(reply.status is Status.NXDOMAIN for _, reply in replies) and all(
        reply.status in (Status.NXDOMAIN, Status.FAILED) for _, reply in replies
    ):
        return Answer(Status.NXDOMAIN, next(reply.hops for _, reply in replies if reply.status is Status.NXDOMAIN))
    if failed:
        return Answer(Status.FAILED, reason=_failures(failed))
    hops = next((reply.hops for _, reply in replies if reply.hops), ())
    return Answer(Status.NO_DATA, hops)


def _failures(failed: Sequence[tuple[str, Reply]]) -> str:
    reasons = {reply.reason for _, reply in failed}
    if len(reasons) == 1 and len(failed) > 1:
        return reasons.pop()
    return "; ".join(f"{family}: {reply.reason}" for family, reply in failed)


def _answer_section(
    rrsets: Sequence[dns.rrset.RRset], family: dns.rdatatype.RdataType
) -> tuple[dict[dns.name.Name, dns.name.Name], dict[dns.name.Name, tuple[str, ...]]]:
    aliases: dict[dns.name.Name, dns.name.Name] = {}
    addresses: dict[dns.name.Name, tuple[str, ...]] = {}
    for rrset in rrsets:
        if rrset.rdclass != dns.rdataclass.IN:
            continue
        if rrset.rdtype == dns.rdatatype.CNAME:
            aliases.setdefault(rrset.name, rrset[0].target)
        elif rrset.rdtype == family:
            addresses[rrset.name] = tuple(map(_rdata_text, rrset))
    return aliases, addresses


def _rdata_text(rdata: dns.rdata.Rdata) -> str:
    address = getattr(rdata, "address", None)
    return rdata.to_text() if address is None else canonical(address)


def _is_referral(message: dns.message.Message) -> bool:
    """Whether the server only points elsewhere (RFC 1034 4.3.2 step 3b), which is no statement about the name."""
    types = {rrset.rdtype for rrset in message.authority}
    recursive = message.flags & (dns.flags.RA | dns.flags.AA)
    return not recursive and dns.rdatatype.NS in types and dns.rdatatype.SOA not in types


def _text(name: dns.name.Name) -> DnsName:
    return DnsName(name.to_text(omit_final_dot=True).lower() if name != dns.name.root else "")
