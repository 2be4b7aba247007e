"""Search services over CT, fed by our test logs: crt.sh's JSON and SSLMate's API, over HTTP on loopback, failing on request.

    with CrtSh(alpha, beta) as crtsh, SslMate(alpha, beta, token="secret") as sslmate:
        crtsh.faults["list"] = FAILURES["502"]          # "list" is what a search is counted as, "d/" begins a download
        sslmate.faults["v1/issuances"] = first(2, too_many(1))

What is merged into a log is in every answer from then on.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from servers.ct_log import CtLog
from servers.ct_log_core import Clock, present
from servers.ct_log_der import spki, tbs_sha256
from servers.ct_log_http import Answer, Fault, Request, Service, closed, cut, drip, hang, html, reply, shortened, too_many

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORT = {NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATION_NAME: "O", NameOID.COUNTRY_NAME: "C"}
FAILURES: dict[str, Fault] = {
    "502": html(502), "503": html(503, "Service Unavailable"), "429": too_many(1), "404": html(404, "404 Not Found"),
    "html": html(200, "Please wait"), "empty": reply(200), "truncated": shortened(30), "cut": cut(30), "hang": hang,
    "drip": drip(),
    "sql": reply(200, b"ERROR:  canceling statement due to conflict with recovery\n", "text/html"), "closed": closed,
}
"""Every way in which a service gives no answer, by name."""
NOTHING = reply(200, b"[]", "application/json")
"""An answer, and a false one: there are no certificates."""


@dataclass(frozen=True, slots=True)
class Record:
    """A certificate or precertificate that is in a log. ``number`` is its id, ``seen`` the time of its first entry."""

    number: int
    octets: bytes
    certificate: x509.Certificate
    issuer: x509.Certificate
    precert: bool
    seen: datetime
    log: CtLog
    index: int

    @property
    def names(self) -> list[str]:
        """DNS names, and the common name if it is another one."""
        common = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return list(dict.fromkeys([*_dns_names(self.certificate), *(str(one.value) for one in common)]))

    @property
    def common_name(self) -> str:
        """Of its subject."""
        return next((str(one.value) for one in self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)), "")


    @property
    def issuer_text(self) -> str:
        """The issuer as crt.sh writes it."""
        return _text(self.certificate.issuer)

    @property
    def typed_names(self) -> list[tuple[str, str]]:
        """Each name with what it is in crt.sh's view of identities."""
        common = [("2.5.4.3", self.common_name)] if self.common_name else []
        return [*common, *(("san:dNSName", name) for name in _dns_names(self.certificate))]


class Index:
    """What a search service has read of its logs. Ids are given in the order of first sight and stay."""

    def __init__(self, logs: tuple[CtLog, ...], start: int) -> None:
        self._logs, self._next = logs, start
        self._known: dict[bytes, Record] = {}

    def records(self) -> list[Record]:
        """All of them, by id."""
        found = [(log.entries[at], log, at) for log in self._logs for at in range(log.size)]
        for entry, log, at in sorted(found, key=lambda one: one[0].timestamp):
            if entry.certificate not in self._known:
                loaded = [x509.load_der_x509_certificate(one) for one in (entry.certificate, entry.chain[0])]
                seen = _EPOCH + timedelta(milliseconds=entry.timestamp)
                self._known[entry.certificate] = Record(self._next, entry.certificate, *loaded, entry.precert, seen, log, at)
                self._next += 1
        return list(self._known.values())


class CrtSh(Service):
    """``?q=...&output=json`` with ``exclude=expired`` and ``deduplicate=Y``; ``?d=ID`` as PEM, or DER with :attr:`binary`."""

    def __init__(self, *logs: CtLog, clock: Clock = present) -> None:
        super().__init__()
        self.index, self.clock, self.binary = Index(logs, 9_000_000_001), clock, False

    def place(self, request: Request) -> str:
        """``list`` or ``d/ID``."""
        return f"d/{request.value('d')}" if "d" in request.query else "list"

    def respond(self, request: Request) -> Answer:
        """As crt.sh does."""
        records = self.index.records()
        if "d" in request.query:
            found = next((one for one in records if str(one.number) == request.value("d")), None)
            if found is None:
                return Answer(404, b"<html>Certificate not found</html>", "text/html")
            encoding = Encoding.DER if self.binary else Encoding.PEM
            return Answer(200, found.certificate.public_bytes(encoding), "application/pkix-cert")
        if request.value("output") != "json" or not request.value("q"):
            return Answer(200, b"<html><title>crt.sh | Certificate Search</title></html>", "text/html")
        rows = [(row, tbs_sha256(record.certificate)) for record in records if (row := self._row(record, request))]
        if request.value("deduplicate") == "Y":
            rows = list({(row["issuer_ca_id"], row["serial_number"], tbs): (row, tbs) for row, tbs in reversed(rows)}.values())
        found = sorted((row for row, _ in rows), key=lambda row: row["entry_timestamp"], reverse=True)
        return Answer(200, json.dumps(found).encode())

    def _row(self, record: Record, request: Request) -> dict[str, Any] | None:
        pattern = request.value("q").lower()
        matching = [name for name in record.names if _like(name.lower(), pattern)]
        certificate = record.certificate
        if not matching or (request.value("exclude") == "expired" and certificate.not_valid_after_utc <= self.clock()):
            return None
        serial = f"{certificate.serial_number:x}"
        return {
            "issuer_ca_id": int.from_bytes(sha256(spki(record.issuer)).digest()[:3], "big"),
            "issuer_name": record.issuer_text,
            "common_name": record.common_name, "name_value": "\n".join(sorted(matching)), "id": record.number,
            "entry_timestamp": record.seen.replace(tzinfo=None).isoformat(timespec="milliseconds"),
            "not_before": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%S}",
            "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%S}",
            "serial_number": serial.zfill(len(serial) + len(serial) % 2),
            "result_count": len(matching) + (record.common_name in matching),
        }


class SslMate(Service):
    """``v1/issuances``: unexpired issuances, precertificate and certificate as one, oldest first, ``page_size`` at once.

    A client that sends another bearer token than ``token`` gets 401; without a token of ours nothing is asked for.
    ``caa`` has the CAA domains of issuers by their common name.
    """

    def __init__(
        self, *logs: CtLog, clock: Clock = present, token: str = "", page_size: int = 100,
        caa: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__()
        self.index, self.clock, self.token, self.page_size, self.caa = Index(logs, 1), clock, token, page_size, caa or {}
        self._ids: dict[str, int] = {}

    def respond(self, request: Request) -> Answer:
        """As SSLMate does."""
        if request.path != "v1/issuances":
            return _refused(404, "not_found", "no such endpoint")
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return _refused(401, "unauthorized", "The API key is missing or wrong.")
        domain = request.value("domain").lower()
        after = request.value("after", "0")
        if "." not in domain or not after.isdigit():
            return _refused(400, "invalid_parameter", "domain must be a registered domain, after an issuance id")
        groups: dict[str, list[Record]] = {}
        for record in self.index.records():
            groups.setdefault(tbs_sha256(record.certificate), []).append(record)
        for identity in groups:
            self._ids.setdefault(identity, 1_000_000 + len(self._ids))
        wide = request.value("include_subdomains") == "true", request.value("match_wildcards") == "true"
        found = [
            self._issuance(identity, records, request.query.get("expand", [])) for identity, records in groups.items()
            if self._ids[identity] > int(after) and records[0].certificate.not_valid_after_utc > self.clock()
            and any(_concerns(name.lower(), domain, *wide) for name in records[0].names)
        ]
        page = sorted(found, key=lambda one: int(one["id"]))[: self.page_size]
        return Answer(200, json.dumps(page).encode(), headers={} if page else {"Retry-After": "3600"})

    def _issuance(self, identity: str, records: list[Record], expand: list[str]) -> dict[str, Any]:
        best = min(records, key=lambda record: record.precert)
        certificate, issuer = best.certificate, best.issuer
        common = next((str(one.value) for one in issuer.subject.get_attributes_for_oid(NameOID.COMMON_NAME)), "")
        details = {
            "dns_names": best.names, "cert_der": b64encode(best.octets).decode(),
            "issuer": {
                "friendly_name": common, "name": _text(issuer.subject), "pubkey_sha256": sha256(spki(issuer)).hexdigest(),
                "caa_domains": self.caa.get(common), "operator": {"name": common, "website": "https://ca.test/"},
            },
        }
        return {
            "id": str(self._ids[identity]), "tbs_sha256": identity, "cert_sha256": sha256(best.octets).hexdigest(),
            "pubkey_sha256": sha256(spki(certificate)).hexdigest(), "revoked": False,
            "not_before": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
            "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
            **{name: value for name, value in details.items() if name in expand},
        }


def _refused(status: int, code: str, message: str) -> Answer:
    return Answer(status, json.dumps({"code": code, "message": message}).encode())


def _dns_names(certificate: x509.Certificate) -> list[str]:
    found = [one.value for one in certificate.extensions if isinstance(one.value, x509.SubjectAlternativeName)]
    return [name for value in found for name in value.get_values_for_type(x509.DNSName)]


def _text(name: x509.Name) -> str:
    return ", ".join(f"{_SHORT.get(one.oid, one.oid.dotted_string)}={one.value!s}" for one in name)


def _like(name: str, pattern: str) -> bool:
    """An identity with % for anything; a plain one matches itself and what is below it."""
    if "%" in pattern:
        return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("%"))), name))
    return name == pattern or name.endswith(f".{pattern}")


def _concerns(name: str, domain: str, below: bool, wildcards: bool) -> bool:
    covers = wildcards and name.startswith("*.") and domain.partition(".")[2] == name[2:]
    return name == domain or covers or (below and name.endswith(f".{domain}"))
