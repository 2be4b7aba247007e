"""Revocation lists and missing issuers from the command line: nginx serves the chains, an HTTP server the lists."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers import nginx
from servers.http_site import Site
from servers.lists import Revoked, crl, der, names_issuers, names_lists

from dnscertscan.demo.authority import Authority, Credential, pem

NOW = datetime.now(UTC)
YESTERDAY = (NOW - timedelta(days=1)).replace(microsecond=0)
PROVE_NOTHING = {
    "html": "it is a web page", "stranger": 'a list of "CN=Stranger', "outdated": "it is outdated",
    "forged": "it is not signed by the key of the issuer", "drip": "no whole answer within 2 s",
}


@dataclass
class Lab:
    """Endpoints below one intermediate, one of which does not send it, and the site with the lists of both CAs."""

    site: Site
    port: int
    lonely_port: int
    root: Authority
    issuer: Authority
    leaves: dict[str, Credential] = field(default_factory=dict)

    def publish(self) -> None:
        """The lists as the CA would publish them today."""
        self.site.pages.clear()
        self.site.asked.clear()
        self.site.pages["/root.crl"] = crl(self.root)
        self.site.pages["/issuer.crl"] = crl(self.issuer, Revoked(self.leaves["revoked"].certificate, YESTERDAY))
        self.site.pages["/issuer.cer"] = der(self.issuer.certificate).der


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Site() as site:
        root = Authority.root("E2E Root", now=NOW)
        issuer = root.intermediate("E2E Issuer", amend=names_lists(site.url("/root.crl")))
        listed = names_lists(site.url("/issuer.crl"))
        leaves = {
            "good": issuer.leaf("good.a.example", amend=listed), "revoked": issuer.leaf("revoked.a.example", amend=listed),
            "broken": issuer.leaf("broken.a.example", amend=names_lists(site.url("/missing.crl"))),
        }
        for kind in PROVE_NOTHING:
            leaves[kind] = issuer.leaf(f"{kind}.a.example", amend=names_lists(site.url(f"/{kind}.crl")))
        lonely = issuer.leaf("incomplete.a.example", amend=names_issuers(site.url("/issuer.cer")))
        hosts = [nginx.Host(f"{name}.a.example", [leaf]) for name, leaf in leaves.items()]
        alone = [nginx.Host("incomplete.a.example", [Credential(lonely.certificate, lonely.key)])]
        with nginx.serve(hosts) as port, nginx.serve(alone) as lonely_port:
            yield Lab(site, port, lonely_port, root, issuer, leaves)


@pytest.fixture
def scan(cli, zones_file, lab: Lab, tmp_path: Path):
    """Scan some of the endpoints; the report as JSON."""
    lab.publish()
    (tmp_path / "ca.pem").write_bytes(pem([lab.root.certificate]))
    (tmp_path / "dnscertscan.toml").write_text('[revocation]\nallow_private = true\ncache = "cache"\ntimeout = 2\n')

    def run(*options: str, names: str = "good revoked broken"):
        port = lab.lonely_port if names == "incomplete" else lab.port
        zones_file({"a.example": [("A", name, "127.0.0.1") for name in names.split()]})
        done = cli("--from-zones-json", "zones.json", "--port", port, "--ca-file", "ca.pem", "-o", "r.json", *options)
        return done, json.loads((tmp_path / "r.json").read_text())

    return run


def found(report, slug: str) -> dict[str, str]:
    """Name -> message of the findings of one rule."""
    return {finding["fqdn"].split(".")[0]: finding["message"] for finding in report["findings"] if finding["slug"] == slug}


def test_revoked_unknown_and_good(scan, lab: Lab) -> None:
    """Revoked is an error that names certificate, date and reason; an unreachable list is information; good is silence."""
    done, report = scan("--crl")
    assert (done.status, set(found(report, "crl-revoked")), set(found(report, "crl-unavailable"))) == (1, {"revoked"}, {"broken"})
    (message,) = found(report, "crl-revoked").values()
    serial = f"{lab.leaves['revoked'].certificate.serial_number:X}"
    assert message.startswith('certificate revoked: certificate 0 "CN=revoked.a.example,O=Example Trust" (serial ')
    assert serial in message
    assert f"was revoked at {YESTERDAY.isoformat()} (keyCompromise), says the revocation list " in message
    assert lab.site.url("/issuer.crl") in message
    (message,) = found(report, "crl-unavailable").values()
    assert message.startswith("revocation list could not be used: whether certificate 0 ")
    assert f"{lab.site.url('/missing.crl')}: the server answered 404" in message
    severities = {finding["slug"]: finding["severity"] for finding in report["findings"]}
    assert (severities["crl-revoked"], severities["crl-unavailable"]) == ("error", "info")
    valid = {target["fqdn"].split(".")[0]: set(target["valid"].values()) for target in report["targets"]}
    assert valid == {"good": {True}, "broken": {True}, "revoked": {False}}
    assert dict(lab.site.asked) == {"/root.crl": 1, "/issuer.crl": 1, "/missing.crl": 1}
    assert [line for line in done.complaints if "certificate revoked" in line][1:] == []


def test_off_by_default(scan, lab: Lab) -> None:
    """Without the option nothing is fetched and nothing is said."""
    done, report = scan()
    assert done.status == 0
    assert found(report, "crl-revoked") == found(report, "crl-unavailable") == {}
    assert lab.site.asked.total() == 0


def test_the_second_run_reads_the_cache(scan, lab: Lab) -> None:
    """Lists are kept until their nextUpdate; a kept one that went bad is fetched again."""
    scan("--crl", names="good revoked")
    lab.site.asked.clear()
    _, report = scan("--crl", names="good revoked")
    assert set(found(report, "crl-revoked")) == {"revoked"}
    assert lab.site.asked.total() == 0
    for file in report_folder(scan).glob("cache/*"):
        file.write_bytes(file.read_bytes()[:-20])
    _, report = scan("--crl", names="good revoked")
    assert set(found(report, "crl-revoked")) == {"revoked"}
    assert dict(lab.site.asked) == {"/root.crl": 1, "/issuer.crl": 1}


def report_folder(scan) -> Path:
    """The folder the scans run in."""
    return next(cell.cell_contents for cell in scan.__closure__ if isinstance(cell.cell_contents, Path))


def test_lists_that_prove_nothing(scan, lab: Lab) -> None:
    """Never "revoked", never silence: information with the reason, for every certificate that names the list."""
    everything = [Revoked(leaf.certificate, YESTERDAY) for leaf in lab.leaves.values()]
    lab.site.pages |= {
        "/html.crl": b"<html>moved</html>", "/stranger.crl": crl(Authority.root("Stranger", now=NOW), *everything),
        "/outdated.crl": crl(lab.issuer, *everything, start=timedelta(days=-9), end=timedelta(days=-1)),
        "/forged.crl": crl(lab.root.intermediate("E2E Issuer"), *everything), "/drip.crl": lab.site.drip,
    }
    done, report = scan("--crl", names=" ".join(PROVE_NOTHING))
    assert (done.status, found(report, "crl-revoked")) == (0, {})
    messages = found(report, "crl-unavailable")
    assert messages.keys() == PROVE_NOTHING.keys()
    assert [kind for kind, words in PROVE_NOTHING.items() if words not in messages[kind]] == []


def test_a_revoked_intermediate_is_the_one_at_fault(scan, lab: Lab) -> None:
    """Every endpoint below it says so, and names the intermediate."""
    lab.site.pages["/root.crl"] = crl(lab.root, Revoked(lab.issuer.certificate, YESTERDAY))
    _, report = scan("--crl", names="good broken")
    assert {finding["certificate"]["position"] for finding in report["findings"] if finding["slug"] == "crl-revoked"} == {1}
    assert all('certificate 1 "CN=E2E Issuer' in text for text in found(report, "crl-revoked").values())


def test_loopback_is_refused_by_default(scan, lab: Lab, tmp_path: Path) -> None:
    """A certificate cannot make the scanner ask machines inside, unless the operator permits it."""
    (tmp_path / "dnscertscan.toml").write_text('[revocation]\ncrl = true\ncache = "cache"\n')
    _, report = scan(names="good")
    assert "allow_private = true" in found(report, "crl-unavailable")["good"]
    assert lab.site.asked.total() == 0


def test_a_deadline_leaves_no_certificate_unmentioned(scan, lab: Lab) -> None:
    """Lists that a stop overtakes are unknown, and the run is incomplete."""
    lab.site.pages["/issuer.crl"] = lab.site.pages["/root.crl"] = lab.site.drip
    (report_folder(scan) / "dnscertscan.toml").write_text('[revocation]\ncrl = true\nallow_private = true\ntimeout = 60\n')
    done, report = scan("--deadline", "5", names="good revoked")
    assert done.status == 3
    assert set(found(report, "crl-unavailable")) == {"good", "revoked"}
    assert all("the run was cut short (deadline of 5 s" in text for text in found(report, "crl-unavailable").values())


def test_the_missing_issuer_is_fetched_and_named(scan, lab: Lab) -> None:
    """With --fetch-issuers an incomplete chain alone in its fleet names what the server forgets; it stays an error."""
    _, report = scan(names="incomplete")
    assert "missing intermediate" not in found(report, "issuer-not-found")["incomplete"]
    assert lab.site.asked.total() == 0
    done, report = scan("--fetch-issuers", names="incomplete")
    assert done.status == 1
    message = found(report, "issuer-not-found")["incomplete"]
    assert 'missing intermediate "CN=E2E Issuer,O=Example Trust"' in message
    assert lab.site.asked["/issuer.cer"] == 1
    lab.site.pages["/issuer.cer"] = b"<html>"
    (report_folder(scan) / "dnscertscan.toml").write_text("[revocation]\nallow_private = true\n")
    done, report = scan("--fetch-issuers", names="incomplete")
    assert any("missing issuer: " in line and "/issuer.cer: what is there cannot be read" in line for line in done.complaints)
