"""Where `dnscertscan ct inventory` looks: sources that fail, answers that cannot be true, a real certspotter, domains."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from servers.ct_inventory import Company, Run, blocks, runner
from servers.ct_issue import issue
from servers.ct_log_certspotter import Certspotter
from servers.ct_log_http import reply
from servers.fake_search import FAILURES, NOTHING


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Company(tmp_path) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], company: Company) -> Run:
    return runner(company, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(("source", "failure"), [
    *(("crtsh", name) for name in FAILURES if name not in ("hang", "drip")), ("sslmate", "502"), ("sslmate", "html"),
])
def test_a_source_that_fails_is_unknown(run: Run, company: Company, source: str, failure: str) -> None:
    """Every way to give no answer: status 3 with the reason, never OK."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    company.crtsh.faults["list"] = company.sslmate.faults["v1/issuances"] = FAILURES[failure]
    done = run(source=source, budget="0.6")
    assert done.status == 3
    assert done.out.startswith("CT INVENTORY UNKNOWN - no certificates in CT; not decided: ")
    assert ", watched.com: no answer: " in done.out


def test_one_source_of_two_fails(run: Run, company: Company) -> None:
    """What the other one shows is told, critical before unknown; without anything to tell it is unknown."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    company.crtsh.faults["list"] = FAILURES["502"]
    both = ("--search", f"crtsh:{company.crtsh.url}", "--budget", "1.5")
    assert run(*both).status == 3
    issue(company.ca, "shop.watched.com", logs=company.logs)
    done = run(*both)
    assert (done.status, len(blocks(done.out))) == (2, 1)
    assert "not decided: crt.sh, watched.com: no answer" in done.out


def test_an_empty_list_that_cannot_be_true(run: Run, company: Company) -> None:
    """crt.sh says [] under load, too: with a logged certificate in the folder that is no answer."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    company.crtsh.faults["list"] = NOTHING
    done = run(source="crtsh")
    assert done.status == 3
    assert "the answer is that there are no certificates, and it is wrong" in done.out


def test_certificates_that_were_not_fetched(run: Run, company: Company) -> None:
    """Rows whose certificate crt.sh does not give have no identity: not decided."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    company.crtsh.faults["d/"] = reply(410)
    done = run(source="crtsh")
    assert done.status == 3
    assert "1 certificates in the lists of crt.sh were not fetched yet, the first for www.watched.com" in done.out


def test_the_domains(run: Run, company: Company) -> None:
    """Those of the local names, or the ones named; a host is looked for in its domain, and only what concerns it counts."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    issue(company.ca, "shop.watched.com", logs=company.logs)
    issue(company.ca, "www.elsewhere.com", logs=company.logs)
    assert [one["head"].split(": ")[1] for one in blocks(run().out)] == ["shop.watched.com"]
    assert run("--domain", "www.watched.com").status == 0
    both = blocks(run("--domain", "watched.com", "--domain", "elsewhere.com").out)
    assert {one["head"].split(": ")[1] for one in both} == {"shop.watched.com", "www.elsewhere.com"}
    assert {request.value("domain") for request in company.sslmate.requests} == {"watched.com", "elsewhere.com"}
    for args, words in ((("--domain", "co.uk"), "public suffix"), (("--domain", "192.0.2.1"), "it is an address")):
        done = run(*args)
        assert done.status == 3
        assert words in done.out
    assert "no source may be asked for an internal domain" in run("--domain", "site.internal").out


def test_offline_from_a_real_certspotter(run: Run, company: Company) -> None:
    """Its state directory, nothing asked of anybody: known ones are nothing, all others are listed, each once."""
    site = company.deploy(issue(company.ca, "www.watched.com", logs=company.logs, submit_final=True))
    forged = issue(company.ca, "www.watched.com", logs=company.logs, submit_final=True)
    rogue = issue(company.other, "shop.watched.com", logs=company.logs)
    spotter = Certspotter(company.log, watch=(".watched.com",))
    try:
        with spotter:
            spotter.wait(lambda: spotter.position(company.log) == company.log.size and len(spotter.events()) >= 5)
        done = run("--issuer", company.issuer, source=f"certspotter:{spotter.state}")
        assert done.status == 2
        assert done.out.startswith("CT INVENTORY CRITICAL - 1 of another CA; 1 unknown; 1 known; watched.com: certspotter | ")
        found = {one["TBS hash"]: one for one in blocks(done.out)}
        assert set(found) == {forged.tbs_sha256, rogue.tbs_sha256}
        assert site.tbs_sha256 not in done.out
        assert "as a precertificate" not in found[forged.tbs_sha256]["seen by"]
        assert not company.crtsh.requests
        assert not company.sslmate.requests
        # It was just notified of all of them, which accepts none; and a state that is days old says nothing of today.
        assert list((spotter.state / "certs").glob("*/.*.notified"))
        for state in (spotter.state / "logs").glob("*/state.json"):
            state.write_text(state.read_text().replace(f"{company.now:%Y}", f"{company.now.year - 1}"))
        done = run(source=f"certspotter:{spotter.state}")
        assert "not decided: certspotter, watched.com: certspotter last read a log with success on" in done.out
        for kind in ("certs", "logs"):
            assert (spotter.state / kind).is_dir()
    finally:
        spotter.close()


def test_a_folder_that_is_no_certspotter(run: Run, company: Company, tmp_path: Path) -> None:
    """Status 3 with the folder's name; one that was never started says so."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    done = run(source=f"certspotter:{tmp_path}/nowhere")
    assert done.status == 3
    assert "nowhere: neither certs nor logs in it; is this certspotter's state directory?" in done.out
    (tmp_path / "state" / "certs").mkdir(parents=True)
    done = run(source=f"certspotter:{tmp_path}/state")
    assert done.status == 3
    assert "certspotter has never read a log with success: is it running?" in done.out


def test_internal_domains(run: Run, company: Company, tmp_path: Path) -> None:
    """They are told to nobody outside; a certspotter of one's own is asked."""
    company.deploy(issue(company.ca, "www.site.internal", logs=company.logs))
    assert "no source may be asked for an internal domain" in run().out
    assert not company.sslmate.requests
    log = tmp_path / "state" / "logs" / "x"
    log.mkdir(parents=True)
    (log / "state.json").write_text(f'{{"last_success": "{(company.now - timedelta(minutes=5)).isoformat()}"}}')
    done = run(source=f"certspotter:{tmp_path}/state")
    assert done.status == 0
    assert done.out.startswith("CT INVENTORY OK - no certificates in CT; site.internal: certspotter | ")
