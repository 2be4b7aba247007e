"""Certificates, rows and small services for the tests of search."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from servers.http_site import Handler, Page, Site, answer

from dnscertscan.ct.budget import Budget
from dnscertscan.ct.http import Http
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_cache import Cache
from dnscertscan.demo.authority import Authority, new_key
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.names import DnsName
from dnscertscan.pki.tbs import tbs_sha256

T = TypeVar("T")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DOMAIN = DnsName("watched.com")
CA = Authority.root("Search Root", now=NOW)
OTHER = Authority.root("Another Root", now=NOW)
_KEY = new_key()


def certificate(
    *names: str, precert: bool = False, serial: int = 0, ca: Authority = CA, days: int = 0, more: tuple[Any, ...] = ()
) -> bytes:
    """A certificate (or precertificate) as DER; the same arguments with a serial give the same TBS."""
    start = NOW - timedelta(days=10 - days)
    builder = (
        x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(ca.certificate.subject).public_key(_KEY.public_key())
        .serial_number(serial or x509.random_serial_number()).not_valid_before(start).not_valid_after(start + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.credential.key.public_key()), critical=False)
    )
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    if precert:
        builder = builder.add_extension(x509.PrecertPoison(), critical=True)
    return builder.sign(ca.credential.key, hashes.SHA256()).public_bytes(Encoding.DER)


def identity(der: bytes) -> str:
    return tbs_sha256(Certificate(der))


def pem_of(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def crtsh_row(number: int, der: bytes, **changed: object) -> dict[str, object]:
    """A row of crt.sh's list, as the service writes them."""
    found = x509.load_der_x509_certificate(der)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    start, end = found.not_valid_before_utc, found.not_valid_after_utc
    return {
        "issuer_ca_id": 7, "issuer_name": found.issuer.rfc4514_string(), "common_name": names[0], "name_value": "\n".join(names),
        "id": number, "entry_timestamp": "2026-05-30T01:02:03.456", "not_before": f"{start:%Y-%m-%dT%H:%M:%S}",
        "not_after": f"{end:%Y-%m-%dT%H:%M:%S}", "serial_number": f"{found.serial_number:040x}",
        "result_count": 2, **changed,
    }


def sslmate_row(number: int, der: bytes, **changed: object) -> dict[str, object]:
    """An issuance object of SSLMate's API."""
    found = x509.load_der_x509_certificate(der)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    issuer = {"friendly_name": "Search", "name": "CN=Search Root", "pubkey_sha256": "ab" * 32, "caa_domains": ["ca.example"]}
    return {
        "id": str(number), "tbs_sha256": identity(der), "cert_sha256": Certificate(der).sha256, "dns_names": names,
        "pubkey_sha256": "cd" * 32, "issuer": issuer, "not_before": f"{found.not_valid_before_utc.isoformat()}",
        "not_after": f"{found.not_valid_after_utc.isoformat()}", "revoked": False, "cert_der": b64encode(der).decode(), **changed,
    }


class Routes(dict[str, Page]):
    """Pages of a Site by what their query says."""

    def __init__(self, route: Callable[[str, dict[str, str]], Page | None]) -> None:
        super().__init__()
        self._route = route

    def get(self, path: str, default: Any = None) -> Any:
        parts = urlsplit(path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return self._route(parts.path, query)


def crtsh_site(site: Site, ders: dict[int, bytes], **rows: object) -> None:
    """``site`` answers as crt.sh does, for everything that is asked."""

    def route(_path: str, query: dict[str, str]) -> Page | None:
        if "d" in query:
            found = ders.get(int(query["d"]))
            return pem_of(found) if found else None
        if query["q"].startswith("%."):
            return json.dumps([crtsh_row(number, der, **rows) for number, der in ders.items()]).encode()
        return b"[]"

    site.pages = Routes(route)


def sslmate_site(site: Site, ders: dict[int, bytes], size: int = 2) -> None:
    """``site`` answers as SSLMate does, ``size`` issuances a page."""

    def route(_path: str, query: dict[str, str]) -> Page | None:
        after = int(query.get("after", "0"))
        left = [sslmate_row(number, der) for number, der in sorted(ders.items()) if number > after]
        return json.dumps(left[:size]).encode()

    site.pages = Routes(route)


def total(site: Site) -> int:
    """Requests so far."""
    return sum(site.asked.values())


def truncated_body(handler: BaseHTTPRequestHandler) -> None:
    """The beginning of an array; the rest never comes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'[{"id": 1, "name_value": "www.watc')
    handler.close_connection = True


BAD: dict[str, Handler] = {
    "502": answer(502, b"<html><head><title>502 Bad Gateway</title></head></html>"),
    "503": answer(503, b""),
    "404": answer(404, b"<html>not found</html>"),
    "html": answer(200, b"<!DOCTYPE html><html>\x1b[31m</html>"),
    "empty": answer(200, b""),
    "spaces": answer(200, b"   \n"),
    "half": answer(200, b'[{"id": 1, "name_val'),
    "cut": truncated_body,
    "sql": answer(200, b"ERROR:  canceling statement due to conflict with recovery\nterminating connection"),
    "null": answer(200, b"null"),
    "object": answer(200, b'{"code": "rate_limited", "message": "You have exceeded"}'),
    "deep": answer(200, b"[" * 200_000),
    "number": answer(200, b"[" + b"9" * 10_000 + b"]"),
    "binary": answer(200, b"\xff\xfe\x00\x01"),
    "redirect": answer(302, b"", Location="https://elsewhere.invalid/"),
    "429": answer(429, b"", Retry_After="3600"),
    "403": answer(403, b"{}"),
}


def run(work: Callable[[Means], Awaitable[T]], **changed: Any) -> tuple[T, list[str]]:
    """What ``work`` gives with means for it (short waits, NOW), and everything that was noted."""
    notes: list[str] = []

    async def main() -> T:
        path, clock = changed.pop("path", None), changed.pop("clock", lambda: NOW)
        cache = Cache(path, clock, notes.append) if path else None
        async with Http(timeout=changed.pop("timeout", 2.0)) as http:
            means = Means(**{
                "http": http, "budget": Budget(20), "clock": clock, "note": notes.append, "cache": cache, "pause": 0.01,
                "attempts": 2, **changed,
            })
            try:
                return await work(means)
            finally:
                if cache:
                    await cache.aclose()

    return asyncio.run(main()), notes
