"""What a server certificate must be for the name asked: names, purpose, lifetime."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.pki import extensions as ext
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.names import Asked, Offer
from dnscertscan.pki.parse import Facts
from dnscertscan.pki.wording import fault, moment, quoted, who

# CA/Browser Forum, TLS Baseline Requirements 6.3.2 (ballots 193, SC31, SC-081): days, and from which notBefore on.
LIFETIME_CAPS = (
    (datetime(2029, 3, 15, tzinfo=UTC), 47), (datetime(2027, 3, 15, tzinfo=UTC), 100), (datetime(2026, 3, 15, tzinfo=UTC), 200),
    (datetime(2020, 9, 1, tzinfo=UTC), 398), (datetime(2018, 3, 1, tzinfo=UTC), 825),
)
# The same section before days were counted: calendar months, and from which notBefore on.
MONTH_CAPS = ((datetime(2015, 4, 1, tzinfo=UTC), 39), (datetime(2012, 7, 1, tzinfo=UTC), 60))
_FOR_TLS = ext.DIGITAL_SIGNATURE | ext.KEY_ENCIPHERMENT | ext.KEY_AGREEMENT
_NETSCAPE_SERVER = 0x40


def name_faults(offer: Offer | None, common: str | None, ref: CertificateRef, asked: Asked, shown: str) -> Iterator[Fault]:
    """RFC 9525 6: the name asked for must be in subjectAltName. ``shown`` is the name as asked.

    ``offer`` are the names there, None without subjectAltName: then ``common`` is the common name. Both are None when
    subjectAltName is there and cannot be read, which is reported as such.
    """
    if offer is not None and not offer.has(asked):
        slug = "ip-mismatch" if asked.ip else "hostname-mismatch"
        fact = f'"{quoted(shown)}" was asked for, {who(ref)} is for {quoted(offer.shown)}'
        yield fault(slug, ref, fact, "install a certificate for this name, or correct the DNS record that leads here")
    elif offer is None and common is not None:
        fact = f'{who(ref)} names nothing that "{quoted(shown)}" could match; its common name is "{quoted(common)}"'
        yield fault("no-san", ref, fact, "issue a certificate that has the name in subjectAltName")


def common_name(facts: Facts) -> str | None:
    """The common names for a message, ``none`` without any; None when there is a subjectAltName."""
    if ext.ALT_NAME in facts.extensions.present:
        return None
    return ", ".join(facts.subject.values("2.5.4.3")) or "none"


def purpose_faults(facts: Facts, ref: CertificateRef) -> Iterator[Fault]:
    """KeyUsage and nsCertType of a TLS server (what OpenSSL's purpose sslserver asks of the leaf; RFC 5280 4.2.1.3)."""
    usage, netscape = facts.extensions.usage, facts.extensions.netscape_type
    if usage is not None and not usage & _FOR_TLS:
        fact = f"key usage of {who(ref)} allows neither digital signature nor key encipherment nor key agreement"
        yield fault("wrong-eku", ref, fact, "issue a certificate with key usage digitalSignature")
    elif netscape is not None and not netscape & _NETSCAPE_SERVER:
        fact = f"nsCertType of {who(ref)} does not include SSL server"
        yield fault("wrong-eku", ref, fact, "issue a certificate without nsCertType")
    if facts.is_ca:
        fact = f"{who(ref)} has basicConstraints CA:TRUE"
        yield fault("ca-as-leaf", ref, fact, "issue a server certificate with CA:FALSE; some clients refuse this one")


def lifetime_faults(facts: Facts, ref: CertificateRef) -> Iterator[Fault]:
    """BR 6.3.2: both notBefore and notAfter count, so a period is one second longer than their difference (BR 1.6.1)."""
    if facts.not_before is None or facts.not_after is None:
        return
    cap = _cap(facts.not_before)
    if cap is None:
        return
    since, words, longest = cap
    period = facts.not_after - facts.not_before + timedelta(seconds=1)
    if period > longest:
        span = f"{period.days} days" + (f" and {period.seconds} seconds" if period.seconds else "")
        start = moment(facts.not_before)
        fact = f"{who(ref)} is valid for {span} from {start}, at most {words} are allowed from {since.date()} on"
        yield fault("lifetime-too-long", ref, fact, "issue a shorter one; browsers refuse longer ones from public CAs")


def _cap(start: datetime) -> tuple[datetime, str, timedelta] | None:
    """Since when the cap is that counts on this day, in words and as a span from this very moment on."""
    for since, days in LIFETIME_CAPS:
        if start >= since:
            return since, f"{days} days", timedelta(days=days)
    for since, months in MONTH_CAPS:
        if start >= since:
            return since, f"{months} months", _months_after(start, months) - start
    return None


def _months_after(start: datetime, months: int) -> datetime:
    """The same day and time so many months later; the last day of that month where it is shorter."""
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))
