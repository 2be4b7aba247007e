"""`dnscertscan check` against the demonstration fleet: each fault has its exit status, and the rule's code in the first line."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers.checking import Check, Told, checker, read

from dnscertscan.checks.catalog import RULES
from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.cli.check_plugin import Asked, render
from dnscertscan.cli.check_seen import Rules, judge_look
from dnscertscan.cli.look import Look
from dnscertscan.cli.place import read_place
from dnscertscan.demo.fleet import DemoFleet
from dnscertscan.demo.story import Expectation
from dnscertscan.model.findings import Severity
from dnscertscan.resolve.lookup import Resolver

_NO_NAME = "dash-.demo.test"
_ALIASES = {
    "www.demo.test": "edge.demo.test", "web.demo.test": "edge.demo.test", "app.demo.test": "*.wild.demo.test",
    "shop.demo.test": "shop.partner.test", "pay.demo.test": "pay.partner.test",
}
_GONE = {"dangling.demo.test", "loop-a.demo.test", "loop-b.demo.test"}
"""Names without any address: it is the resolver that says so."""


@pytest.fixture(scope="module")
def fleet() -> Iterator[DemoFleet]:
    with DemoFleet(datetime.now(UTC)) as fleet:
        yield fleet


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    return checker(tmp_path, monkeypatch, capsys)


def look(check: Check, fleet: DemoFleet, name: str, *more: object) -> Told:
    """One name of the fleet at all of its addresses."""
    places = fleet.addresses[_ALIASES.get(name, name)]
    Path("ca.pem").write_bytes(fleet.ca_pem)
    addresses = [part for place in places for part in ("--address", place)]
    return check(f"{name.replace('*', 'green')}:{fleet.tls_port}", "--ca-file", "ca.pem", "--timeout", 6, *addresses, *more)


def wanted(expected: Expectation) -> int:
    """The exit status that the story asks for."""
    if expected.state == "failed":
        return 3 if expected.fqdn == _NO_NAME else 2
    severities = {RULES[slug].severity for slug in expected.slugs}
    return 2 if Severity.ERROR in severities else 1 if severities else 0


def test_every_story(
    check: Check, fleet: DemoFleet, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    """Errors are CRITICAL, warnings WARNING, healthy servers OK; without a certificate it is CRITICAL, and says why.

    With ``pytest -s`` it prints them all: name, exit status, first line.
    """
    seen, asked = {}, [one for one in fleet.expectations if one.fqdn not in _GONE]
    for expected in asked:
        told = look(check, fleet, expected.fqdn)
        seen[expected.fqdn] = told.status
        if pytestconfig.getoption("capture") == "no":
            with capsys.disabled():
                print(f"{expected.fqdn.removesuffix('.demo.test'):28} {told.status}  {told.line[:200]}")
        assert told.status == wanted(expected), (expected, told)
        for slug in expected.slugs:
            assert told.details_with(f"[{RULES[slug].code}]"), (expected, told)
        assert told.status == 0 or expected.slugs or expected.reason in told.line or expected.fqdn == _NO_NAME
        if expected.state == "scanned":
            assert told.perfdata["certificates"][0] >= 1
            assert told.perfdata["addresses"][0] == len(fleet.addresses[_ALIASES.get(expected.fqdn, expected.fqdn)])
            assert "days_left" in told.perfdata
        assert told.err == "" or expected.fqdn == _NO_NAME
    assert len(seen) == len(fleet.expectations) - len(_GONE) > 50
    assert set(seen.values()) == {0, 1, 2, 3}


@pytest.mark.parametrize("name", sorted(_GONE))
def test_names_without_an_address(fleet: DemoFleet, name: str) -> None:
    """An alias that leads nowhere or in a circle: CRITICAL, since the name servers say so."""
    def nobody(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    place, at = read_place(name), datetime.now(UTC)
    look = Look(place, 10.0, find=nobody, resolver=Resolver([("127.0.0.1", fleet.dns_port)]))
    asyncio.run(look.go())
    text, status = render(Asked(name, at, None, None, 0.1, 30.0), judge_look(look, Rules(Judge(CheckPolicy(), (), (), at), at)))
    assert read(status, text).status == 2
    assert f"host {name} has no address" in text


def test_ranges(check: Check, fleet: DemoFleet) -> None:
    """A certificate with 80 of 90 days left, and one with ten; a range of one's own takes the place of the threshold."""
    told = look(check, fleet, "demo.test", "--warning", "85:", "--critical", "5:")
    assert told.status == 1
    assert "days left, outside 85:; it ends at" in told.line
    assert told.perfdata["days_left"][1:] == ("85:", "5:")
    assert look(check, fleet, "demo.test", "-w", "85:", "-c", "81:").status == 2
    assert look(check, fleet, "demo.test", "-w", "0:60").status == 1
    assert look(check, fleet, "demo.test", "-w", "@80:90").status == 0
    assert look(check, fleet, "demo.test", "-w", "@0:80").status == 1
    assert look(check, fleet, "expiring.demo.test").status == 1
    assert look(check, fleet, "expiring.demo.test", "-w", "5:").status == 0
    assert look(check, fleet, "expiring.demo.test", "-c", "15:").status == 2
    assert look(check, fleet, "expired.demo.test", "-w", "~:1000", "-c", "~:1000").status == 2


def test_ranges_in_per_cent(check: Check, fleet: DemoFleet) -> None:
    """Of the lifetime of the certificate: of 90 days 50 per cent are 45."""
    told = look(check, fleet, "demo.test", "--warning", "90%:", "--critical", "50%:")
    assert told.status == 1
    assert told.perfdata["days_left"][1:] == ("81:", "45:")
    assert "outside 81: (90: per cent of the lifetime)" in told.line
    assert look(check, fleet, "demo.test", "--warning", "80%:", "--critical", "50%:").status == 0


def test_pinned_issuers(check: Check, fleet: DemoFleet) -> None:
    """A CA that is not among those named is critical, the one that is there is not."""
    assert look(check, fleet, "demo.test", "--issuer", "ca.pem").status == 0
    told = look(check, fleet, "demo.test", "--issuer", "sha256:" + "ab" * 32)
    assert told.status == 2
    assert "unexpected CA" in told.line


def test_public_stores_by_default(check: Check, fleet: DemoFleet) -> None:
    """Without --ca-file a private CA is none that can be trusted."""
    told = check(f"demo.test:{fleet.tls_port}", "--address", fleet.addresses["demo.test"][0])
    assert told.status == 2
    assert "DCS2" in told.line


def test_sni_and_address(check: Check, fleet: DemoFleet) -> None:
    """HOST may be an address and the name come by itself; the certificate has to be for that name."""
    place = f"{fleet.addresses['shared-first.demo.test'][0]}:{fleet.tls_port}"
    Path("ca.pem").write_bytes(fleet.ca_pem)
    assert check(place, "--sni", "shared-first.demo.test", "--ca-file", "ca.pem").status == 0
    assert check(place, "--sni", "shared-second.demo.test", "--ca-file", "ca.pem").status == 2
    told = check(place, "--ca-file", "ca.pem")
    assert (told.status, bool(told.details_with("[DCS111]"))) == (2, True)


def test_the_configuration_counts(check: Check, fleet: DemoFleet) -> None:
    """Thresholds and rotation of the zone the name is in, and the anchors, come from the file."""
    Path("ca.pem").write_bytes(fleet.ca_pem)
    Path("c.toml").write_text(
        '[trust]\nca_files = ["ca.pem"]\n[[checks.rotation]]\nzone = "demo.test"\nvalidity = "90d"\nrotation = "5d"\n'
        '[[checks.rotation]]\nzone = "partner.test"\nvalidity = "30d"\nrotation = "20d"\n'
    )
    places = [fleet.addresses[name][0] for name in ("good-rsa.demo.test", "shop.partner.test")]
    told = check(f"good-rsa.demo.test:{fleet.tls_port}", "--address", places[0], "--config", "c.toml")
    assert (told.status, "[DCS106]" in told.line) == (1, True)
    told = check(f"shop.partner.test:{fleet.tls_port}", "--address", places[1], "--config", "c.toml")
    assert (told.status, "[DCS107]" in told.line) == (1, True)
