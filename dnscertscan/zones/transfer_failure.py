"""Why a transfer failed, in one line for a person: the likely cause and the next step."""

import errno

import dns.exception
import dns.message
import dns.rcode
import dns.tsig
import dns.xfr

from dnscertscan.model.text import visible
from dnscertscan.zones.connect import FIRST_ANSWER_SECONDS, StreamClosedError, StreamTooLongError
from dnscertscan.zones.transfer import Limits, NotATransferError, Progress, TooManyRecordsError

_RULES = "BIND: allow-transfer, NSD: provide-xfr, Knot: acl"
_CHECK = "check address, port and firewall"
_COMPARE = "compare both sides"

_RCODES = {
    dns.rcode.REFUSED: f"the server does not let {{who}} transfer the zone; allow it there ({_RULES})",
    dns.rcode.NOTAUTH: "the server does not serve this zone, or does not let {who} transfer it; "
    f"check the zone's name, the server and its rules ({_RULES})",
    dns.rcode.NXDOMAIN: "the server does not know this zone; check the zone's name and the server",
    dns.rcode.SERVFAIL: "the server cannot give the zone now (not loaded, expired or overloaded); see the server's log",
    dns.rcode.NOTIMP: "the server does not do zone transfers; ask the zone's primary server",
    dns.rcode.FORMERR: "the server does not understand the request for a zone transfer; ask the zone's primary server",
}
_TSIG: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (dns.tsig.PeerBadKey,),
        "BADKEY: the server does not take {key} (other name or algorithm there, or not for this zone); " + _COMPARE,
    ),
    ((dns.tsig.PeerBadSignature,), "BADSIG: the secret of {key} is not the one the server has; " + _COMPARE),
    (
        (dns.tsig.PeerBadTime, dns.tsig.BadTime),
        "BADTIME: this machine's clock and the server's differ by more than the 300 s TSIG allows; set both by NTP",
    ),
    ((dns.tsig.PeerError,), "the server does not accept the signature made with {key} ({error}); " + _COMPARE),
    (
        (dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm, dns.message.UnknownTSIGKey, NotImplementedError),
        "the answer's signature was not made with {key} ({error}): wrong secret, or altered on the way; " + _COMPARE,
    ),
)


def explain(error: Exception, progress: Progress, limits: Limits, key: str | None) -> str:
    """The reason for one failed attempt; ``key`` is the name of the TSIG key that was used."""
    if isinstance(error, dns.xfr.TransferError):
        return _rcode(error.rcode, key)
    for kinds, template in _TSIG:
        if isinstance(error, kinds):
            named = f'TSIG key "{visible(key, 80)}"' if key is not None else "a key we have (none was given)"
            return template.format(key=named, error=type(error).__name__)
    if isinstance(error, dns.exception.DNSException | NotATransferError):
        return _content(error, progress)
    return _connection(error, progress, limits)


def _rcode(rcode: int, key: str | None) -> str:
    text = dns.rcode.to_text(dns.rcode.Rcode.make(rcode))
    word = f"RCODE {text}" if text.isdecimal() else text
    who = f'TSIG key "{visible(key, 80)}" from this address' if key is not None else "this address without a TSIG key"
    template = _RCODES.get(dns.rcode.Rcode.make(rcode), "the server answered with an error; see the server's log")
    return f"{word}: {template.format(who=who)}"


def _content(error: Exception, progress: Progress) -> str:
    if progress.messages == 0 and (evidence := _foreign(progress.head)):
        return evidence
    detail = visible(str(error) or type(error).__name__, 200)
    if "unexpected origin SOA" in detail:
        return "a second, different SOA came before the end: the zone changed during the transfer; try again"
    if "missing TSIG" in detail:
        detail = "the request was signed with TSIG but the answer is not signed to its end"
    after = f" after {progress.records} records" if progress.records else ""
    return f"not a valid zone transfer{after}: {detail}; check that the server serves this zone and see its log"


def _connection(error: Exception, progress: Progress, limits: Limits) -> str:
    if isinstance(error, TooManyRecordsError | StreamTooLongError):
        limit = f"{limits.max_records} records" if isinstance(error, TooManyRecordsError) else f"{limits.max_bytes} octets"
        return f"more than {limit}: endless, or larger than allowed; raise the limit if the zone is that large"
    if isinstance(error, StreamClosedError | ConnectionResetError | BrokenPipeError):
        return _closed(progress)
    if isinstance(error, TimeoutError):
        return _timeout(progress, limits)
    if isinstance(error, ConnectionRefusedError):
        return f"connection refused: nothing listens there on TCP; {_CHECK}"
    if isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL):
        return f"unreachable ({error.strerror}); {_CHECK}"
    return f"{visible(str(error), 200) or type(error).__name__}; {_CHECK}"


def _closed(progress: Progress) -> str:
    got = f"{progress.octets} octets"
    if progress.messages:
        return f"truncated: connection closed after {progress.records} records ({got}), before the zone's end; see its log"
    if evidence := _foreign(progress.head):
        return evidence
    if progress.octets:
        return f"truncated: connection closed after {got}, inside the first message; is it a DNS server? See its log"
    return f"connection closed without an answer: it may serve certain addresses only, or be no DNS server; {_CHECK}"


def _timeout(progress: Progress, limits: Limits) -> str:
    within = f"in {limits.transfer_seconds:g} s"
    got = f"{progress.octets} octets"
    if progress.messages:
        return f"not finished {within} ({progress.records} records, {got}): slow or endless; raise the limit if the zone is large"
    if evidence := _foreign(progress.head):
        return evidence
    if progress.octets:
        return f"only {got} {within} and no whole message: too slow, or no DNS server; {_CHECK}"
    if progress.connected:
        patience = min(limits.transfer_seconds, FIRST_ANSWER_SECONDS)
        return f"connected, but no answer in {patience:g} s: the server is silent; see its log, and {_CHECK}"
    return f"no connection in {limits.connect_seconds:g} s: host down or filtered; {_CHECK}"


def _foreign(head: bytes) -> str | None:
    """What to say when the first octets are plain text: no DNS message over TCP begins like that."""
    text = head.decode("latin-1")
    if len(head) < 4 or not text.isascii() or not all(char.isprintable() or char in "\r\n\t" for char in text):
        return None
    return f"not a DNS server: it sent {visible(text.strip(), 60)!r}; check address and port"
