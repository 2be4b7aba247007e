"""Fleets of any size for the web page, and what its markup says, read without a browser."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser

from cryptography.hazmat.primitives.serialization import Encoding
from report import factory

from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.findings import Finding
from dnscertscan.model.report import Report
from dnscertscan.pki.parse import reference

MISNAMED = factory.rule("DCS105", "name-mismatch")
KINDS = (
    (factory.rule(), 'certificate has expired: certificate 0 "{subject}" (serial {serial}) expired at 2026-11-18; renew it'),
    (factory.EXPIRING, 'certificate "{subject}" expiring at 2026-12-01T00:00:00+00:00'),
    (MISNAMED, 'subject does not match hostname: "{name}" was asked for, certificate 0 "{subject}" (serial {serial}) is for x'),
    (factory.ROOT_SENT, 'certificate sent needlessly: root certificate 2 "CN=Root" (serial 0A1B) is in the stores of clients'),
)
"""Worded as the rules word them."""
LONG = {
    "domain": "prod.eu-central1.example.com", "subject": "CN=host{}.prod.eu-central1.example.com,O=Example Trust GmbH,C=DE",
}
"""Names as they are in large fleets: up to 38 characters."""
LONGER = {"domain": "shop.prod.eu-central1.example.com", "subject": "CN=host{}.shop.prod.eu-central1.example.com,O=Example,C=DE"}
"""Names of up to 43."""
_LABELS = f"{'x' * 40}.{'y' * 37}"
LONGEST = {"domain": f"{_LABELS}.example.com", "subject": f"CN=host{{}}.{_LABELS}.example.com,O=\u4f8b\u3048\u4f8b\u3048"}
"""Names of 100 characters."""


@cache
def served(count: int) -> tuple[tuple[Certificate, ...], ...]:
    """Real chains that share an intermediate; one in three ends on one day, the others are spread."""
    issuing = Authority.root("Fleet Root", now=factory.NOW).intermediate("Fleet Issuing CA")
    ends = (factory.NOW + timedelta(days=61 if number % 3 == 0 else 5 + number * 7 % 380) for number in range(count))
    leaves = (issuing.leaf(f"host{number}.example.com", not_after=end) for number, end in enumerate(ends))
    return tuple(tuple(Certificate(one.public_bytes(Encoding.DER)) for one in leaf.chain) for leaf in leaves)


def place(number: int, domain: str = "example.com") -> tuple[str, str]:
    """Address and name of a target."""
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", f"host{number}.{domain}"


def fleet_report(
    count: int, per_certificate: int = 1, chains: int = 60, domain: str = "example.com", subject: str = "CN=host{}.example.com",
) -> Report:
    """``count`` targets with a finding each; certificates are served by so many targets, the first ones were really read."""
    def findings() -> Iterator[Finding]:
        for number in range(count):
            which = number // per_certificate
            hit, words = KINDS[which % len(KINDS)]
            at_fault = _reference(which, chains, subject)
            address, name = place(number, domain)
            message = words.format(subject=at_fault.subject, serial=at_fault.serial, name=name)
            yield factory.finding(
                message, rule_hit=hit, address=address, fqdn=name, record=f"{name}. A {address}", certificate=at_fault,
                leaf=at_fault,
            )

    real = served(chains)
    seen = (
        factory.observation(factory.handshake(real[number // per_certificate]), address=address, fqdn=name)
        for number in range(min(count, chains * per_certificate)) for address, name in (place(number, domain),)
    )
    rows = (factory.row(address=address, fqdn=name) for address, name in (place(number, domain) for number in range(count)))
    return factory.report(findings(), seen, factory.coverage(rows))


def _reference(which: int, chains: int, subject: str) -> CertificateRef:
    if which < chains:
        return reference(served(chains)[which][0], 0)
    return factory.reference(subject.format(which), digest=f"{which:064x}", days=which % 400 - 20)


class Page(HTMLParser):
    """The entries, findings and targets of a page, as its script counts them."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.entries: list[str] = []
        self.targets: list[tuple[str, str]] = []
        """(rule code, target) of every finding."""
        self.tags: list[str] = []
        self._inside = self._list = False
        self._code = ""
        self._heard: list[str] | None = None
        self._into: Callable[[str], None] = self.entries.append
        self.feed(document.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        known = dict(attrs)
        kind = known.get("class") or ""
        if tag == "ul" and kind.startswith("block"):
            self._inside = True
        elif self._inside and tag == "h3":
            self._code = ""
            self._listen(self.entries.append)
        elif self._inside and tag == "p" and kind in ("e", "w", "i"):
            self._end()
            self._code = "?"
        elif tag == "details" and kind == "why":
            self._end()
            self._code = ""
        elif self._code and tag == "ul":
            self._list = True
        elif self._code and (tag == "p" or (tag == "li" and self._list)):
            code = self._code
            self._listen(lambda text: self.targets.append((code, text)))
        elif tag == "li":  # the next entry
            self._end()

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h3", "ul", "section"):
            self._end()
        if tag == "ul":
            self._list = False
        if tag == "section":
            self._inside, self._code = False, ""

    def handle_data(self, data: str) -> None:
        if self._code == "?":
            words = data.split()  # "error DCS101 ...", or "DCS101 ..."
            self._code = words[not words[0].startswith("DCS")]
        if self._heard is not None:
            self._heard.append(data)

    def _listen(self, into: Callable[[str], None]) -> None:
        self._end()
        self._heard, self._into = [], into

    def _end(self) -> None:
        if self._heard is not None:
            self._into("".join(self._heard).strip())
        self._heard = None
