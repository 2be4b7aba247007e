"""The demonstration fleet: every server does what its story tells, judged by OpenSSL; and it ends without a trace."""

import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import dns.query
import dns.zone
import pytest

from dnscertscan.checks.catalog import RULES
from dnscertscan.demo.fleet import DemoFleet
from dnscertscan.demo.tls_servers import Oddity
from dnscertscan.model.findings import Severity
from dnscertscan.model.observations import FailureKind
from dnscertscan.model.records import Verdict
from dnscertscan.model.report import State

# What `openssl s_client` says (X509_V_ERR number) about each name with a server of its own. 0 where OpenSSL sees nothing wrong.
OPENSSL = {
    "demo.test": 0, "ns.demo.test": 0, "tls12-only.demo.test": 0, "tls13-only.demo.test": 0, "client-cert.demo.test": 0,
    "two-addresses.demo.test": 0, "ipv6.demo.test": 0, "shared-first.demo.test": 0, "shared-second.demo.test": 10,
    "edge.demo.test": 0, "shop.partner.test": 0, "pay.partner.test": 0, "good-rsa.demo.test": 0, "good-ecdsa.demo.test": 0,
    "half-renewed.demo.test": 10, "expired.demo.test": 10, "not-yet-valid.demo.test": 9, "expiring.demo.test": 0,
    "two-faults.demo.test": 10, "wrong-name.demo.test": 62, "_underscore.demo.test": 0, "rsa-1024.demo.test": 66,
    "sha1.demo.test": 68, "forged.demo.test": 7, "client-only.demo.test": 26, "critical.demo.test": 34,
    "must-staple.demo.test": 0, "self-signed.demo.test": 18, "incomplete.demo.test": 21, "duplicate.demo.test": 0,
    "unrelated.demo.test": 0, "with-root.demo.test": 0, "disorder.demo.test": 0, "unknown-issuer.demo.test": 20,
    "office.demo.test": 19, "expired-issuer.demo.test": 10, "name-constraint.demo.test": 47, "path-length.demo.test": 25,
    "ca-as-leaf.demo.test": 0, "*.wild.demo.test": 0,
    "no-san.demo.test": 0,  # OpenSSL falls back to the common name
}
CHAIN_LENGTHS = {
    "incomplete.demo.test": 1, "self-signed.demo.test": 1, "ca-as-leaf.demo.test": 1, "duplicate.demo.test": 3,
    "unrelated.demo.test": 3, "with-root.demo.test": 3, "disorder.demo.test": 3, "office.demo.test": 3,
    "path-length.demo.test": 3,
}
INFO_ONLY = {rule.slug for rule in RULES.values() if rule.severity is Severity.INFO}


@pytest.fixture(scope="module")
def fleet() -> Iterator[DemoFleet]:
    with DemoFleet(datetime.now(UTC)) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def said(fleet: DemoFleet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What s_client prints for each name, one text per address."""
    bundle = tmp_path_factory.mktemp("ca") / "ca.pem"
    bundle.write_bytes(fleet.ca_pem)
    asked = [(name, place) for name, places in fleet.addresses.items() for place in places if not name.startswith("silent.")]
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda pair: s_client(fleet, pair[0].replace("*", "green"), pair[1], bundle), asked))
    found: dict[str, list[str]] = {}
    for (name, _), text in zip(asked, texts, strict=True):
        found.setdefault(name, []).append(text)
    return found


def s_client(fleet: DemoFleet, name: str, place: str, file: Path, *more: str) -> str:
    where = f"[{place}]:{fleet.tls_port}" if ":" in place else f"{place}:{fleet.tls_port}"
    trust = ["-verify_hostname", name, "-CAfile", str(file), "-no-CApath", "-no-CAstore"]
    strict = ["-auth_level", "2", "-purpose", "sslserver", "-cipher", "ALL:@SECLEVEL=0"]
    done = subprocess.run(
        ["timeout", "5", "openssl", "s_client", "-connect", where, "-servername", name, "-showcerts", *trust, *strict, *more],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    return done.stdout + done.stderr


def test_openssl_agrees_with_every_story(fleet: DemoFleet, said: dict[str, list[str]]) -> None:
    """Every server of a name that counts as scanned gives a certificate, and OpenSSL finds the fault that was built in."""
    states = {expected.fqdn: expected.state for expected in fleet.expectations}
    scanned = {name for name, places in fleet.addresses.items() if places and states[name] == State.SCANNED}
    assert scanned - {"ipv6.demo.test"} == OPENSSL.keys() - {"ipv6.demo.test"}
    codes = {name: {int(re.findall(r"Verify return code: (\d+)", text)[-1]) for text in said[name]} for name in scanned}
    assert codes == {name: {OPENSSL[name]} for name in scanned}
    lengths = {name: {text.count("BEGIN CERTIFICATE") for text in said[name]} for name in scanned}
    assert lengths == {name: {CHAIN_LENGTHS.get(name, 2)} for name in scanned}


def test_ipv6_when_the_machine_has_it(fleet: DemoFleet) -> None:
    """The IPv6 story is there exactly when ::1 is."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        assert "ipv6.demo.test" not in fleet.addresses
    else:
        assert fleet.addresses["ipv6.demo.test"] == ("::1",)


def test_expectations_use_the_project_s_words(fleet: DemoFleet) -> None:
    """Slugs are those of rules and never of severity info; states and reasons are the coverage file's; each name stands once."""
    assert len({expected.fqdn for expected in fleet.expectations}) == len(fleet.expectations) > 50
    reasons = {*FailureKind, *Verdict, "ok"}
    for expected in fleet.expectations:
        assert expected.slugs <= RULES.keys() - INFO_ONLY
        assert expected.state in set(State)
        assert expected.reason in reasons
        assert (expected.reason == "ok") == (expected.state == State.SCANNED)
        assert expected.story


def protocols(fleet: DemoFleet, name: str) -> set[str | None]:
    spoken = set()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cadata=fleet.ca_pem.decode())
        context.minimum_version = context.maximum_version = version
        try:
            with socket.create_connection((fleet.addresses[name][0], fleet.tls_port), 5) as raw, \
                    context.wrap_socket(raw, server_hostname=name) as tls:
                spoken.add(tls.version())
        except ssl.SSLError:
            continue
    return spoken


def test_protocol_versions(fleet: DemoFleet) -> None:
    """Only what the story says is spoken."""
    assert protocols(fleet, "tls12-only.demo.test") == {"TLSv1.2"}
    assert protocols(fleet, "tls13-only.demo.test") == {"TLSv1.3"}
    assert protocols(fleet, "good-rsa.demo.test") == {"TLSv1.2", "TLSv1.3"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificate_is_required(fleet: DemoFleet, version: ssl.TLSVersion) -> None:
    """The server ends the connection of a client that has no certificate, with an alert that says so."""
    context = ssl.create_default_context(cadata=fleet.ca_pem.decode())
    context.minimum_version = context.maximum_version = version
    reason = "HANDSHAKE_FAILURE" if version is ssl.TLSVersion.TLSv1_2 else "CERTIFICATE_REQUIRED"
    place = (fleet.addresses["client-cert.demo.test"][0], fleet.tls_port)
    with socket.create_connection(place, 5) as raw, pytest.raises(ssl.SSLError, match=reason), \
            context.wrap_socket(raw, server_hostname="client-cert.demo.test") as tls:
        tls.recv(1)


def test_two_keys_on_one_server(fleet: DemoFleet, tmp_path: Path) -> None:
    """The half renewed server has a good RSA certificate beside the expired ECDSA one."""
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(fleet.ca_pem)
    place = fleet.addresses["half-renewed.demo.test"][0]
    rsa = s_client(fleet, "half-renewed.demo.test", place, bundle, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert "Verify return code: 0" in rsa
    ecdsa = s_client(fleet, "half-renewed.demo.test", place, bundle, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert "Verify return code: 10" in ecdsa


def test_https_clients_get_a_page(fleet: DemoFleet) -> None:
    """A request is answered and the connection closed with a proper goodbye."""
    context = ssl.create_default_context(cadata=fleet.ca_pem.decode())
    with socket.create_connection((fleet.addresses["demo.test"][0], fleet.tls_port), 5) as raw, \
            context.wrap_socket(raw, server_hostname="demo.test", suppress_ragged_eofs=False) as tls:
        tls.sendall(b"GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n")
        page = b"".join(iter(lambda: tls.recv(4096), b""))
    assert page.startswith(b"HTTP/1.1 200 OK\r\n")
    assert page.endswith(b"demonstration.\n")


def test_unknown_name_on_a_shared_address(said: dict[str, list[str]]) -> None:
    """The address of two sites says unrecognized_name to a third name."""
    assert "alert number 112" in said["shared-missing.demo.test"][0]


@pytest.mark.parametrize(("label", "kind"), [
    ("silent", "silent"), ("closed-port", "refused"), ("dash-", "refused"), ("plain-http", b"HTTP/1.1 400"), ("reset", "reset"),
    ("hangs-up", b""), ("alert", b"\x15\x03\x01\x00\x02\x02\x2a"),
])
def test_servers_without_certificate(fleet: DemoFleet, label: str, kind: str | bytes) -> None:
    """What a client sees after its hello from each server that is none: the same thing every time."""
    hellos = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(*hellos, server_hostname="x.demo.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = hellos[1].read()
    for _ in range(3):
        seen: str | bytes
        try:
            with socket.create_connection((fleet.addresses[f"{label}.demo.test"][0], fleet.tls_port), 0.3) as raw:
                raw.sendall(hello)
                seen = raw.recv(4096)
        except TimeoutError:
            seen = "silent"
        except ConnectionRefusedError:
            seen = "refused"
        except ConnectionResetError:
            seen = "reset"
        assert seen.startswith(kind) if isinstance(seen, bytes) and isinstance(kind, bytes) and kind else seen == kind


def test_every_oddity_is_published(fleet: DemoFleet) -> None:
    """No way to misbehave is left without a name."""
    assert {oddity.value for oddity in Oddity} <= {expected.story for expected in fleet.expectations}


def test_junk_does_not_stop_a_tls_server(fleet: DemoFleet) -> None:
    """A client that speaks something else, or leaves in the middle, costs the next one nothing."""
    place = (fleet.addresses["demo.test"][0], fleet.tls_port)
    for junk in (b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x00", b"\xff" * 20000):
        with socket.create_connection(place, 5) as raw:
            raw.sendall(junk)
    context = ssl.create_default_context(cadata=fleet.ca_pem.decode())
    with socket.create_connection(place, 5) as raw, context.wrap_socket(raw, server_hostname="demo.test") as tls:
        assert tls.version() == "TLSv1.3"


def test_zones(fleet: DemoFleet) -> None:
    """AXFR, the texts and the JSON give the same records, and every published name has its expectation."""
    published = set()
    shapes = json.loads(fleet.zones_json())
    assert list(shapes) == ["demo.test", "partner.test"] == [fleet.zone_name, fleet.partner_zone_name]
    for name, text in fleet.zone_texts.items():
        received = dns.zone.Zone(name, relativize=False)
        dns.query.inbound_xfr(fleet.dns_address, received, port=fleet.dns_port, timeout=5, lifetime=10)
        assert received == dns.zone.from_text(text, origin=name, relativize=False)
        lines = "\n".join(f"{one['name']} {one['ttl']} IN {one['type']} {one['target']}" for one in shapes[name])
        assert received == dns.zone.from_text(lines, origin=name, relativize=False)
        published |= {str(owner)[:-1] for kind in ("A", "AAAA", "CNAME") for owner, _ in received.iterate_rdatasets(kind)}
    assert published == {expected.fqdn for expected in fleet.expectations}
