"""`dnscertscan ct inventory` as a user and as Nagios run it: statuses, blocks, learning, decisions."""

import json
import re
import shlex
import sqlite3
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from servers.command import COMMAND, clean_environment
from servers.ct_inventory import Company, Run, blocks, runner
from servers.ct_issue import issue, renew, serial_twin

REVIEW = ("--learn", "review.toml", "--accept", "review.toml")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Company(tmp_path) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], company: Company) -> Run:
    return runner(company, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("source", ["sslmate", "crtsh"])
def test_a_normal_renewal_is_nothing(run: Run, company: Company, source: str) -> None:
    """Precertificate and certificate of two generations, the older one overwritten since an earlier run: OK, in one line."""
    site = company.deploy(issue(company.ca, "www.watched.com", logs=company.logs, submit_final=True))
    first = run("--issuer", company.issuer, source=source)
    assert first.status == 0, first.out
    company.deploy(renew(site, logs=company.logs))
    done = run("--issuer", company.issuer, source=source)
    assert (done.status, blocks(done.out), done.err) == (0, [], "")
    name = {"sslmate": "sslmate", "crtsh": "crt.sh"}[source]
    assert done.out.startswith(f"CT INVENTORY OK - 2 known; watched.com: {name} | wrong_issuer=0 serial_conflict=0")
    assert "known=2 " in done.out.splitlines()[0]


def test_every_unknown_one_is_listed(run: Run, company: Company) -> None:
    """Three that nobody knows, two of them of another CA: a block each with all there is, and the command that accepts it."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    forged = issue(company.ca, "www.watched.com", "watched.com", logs=company.logs)
    rogues = [issue(company.other, f"{name}.watched.com", logs=company.logs) for name in ("a", "b")]
    done = run("--issuer", company.issuer)
    assert done.status == 2
    assert done.out.startswith("CT INVENTORY CRITICAL - 2 of another CA; 1 unknown; 1 known; watched.com: sslmate | ")
    found = {one["TBS hash"]: one for one in blocks(done.out)}
    assert set(found) == {forged.tbs_sha256, *(rogue.tbs_sha256 for rogue in rogues)}
    one = found[forged.tbs_sha256]
    assert one["head"] == "UNKNOWN CERTIFICATE (CRITICAL): www.watched.com, watched.com"
    assert int(one["serial"], 16) == forged.certificate.serial_number
    assert one["issuer"].startswith('"CN=Company Issuer,O=Example Trust", key sha256:')
    assert one["seen by"] == "sslmate, as a precertificate only"
    assert one["valid"] == (
        f"{forged.certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        f" to {forged.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    )
    assert f"--accept-tbs {forged.tbs_sha256} --until " in one["accept"]
    assert "cannot be accepted; the same command with --interactive" in found[rogues[0].tbs_sha256]["accept"]


def test_the_command_that_accepts_one(run: Run, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands in the report: that one is accepted, the others are not; the reason and its end are told."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    ours = issue(company.ca, "shop.watched.com", logs=company.logs)
    issue(company.ca, "other.watched.com", logs=company.logs)
    done = run()
    words = next(one["accept"] for one in blocks(done.out) if one["TBS hash"] == ours.tbs_sha256)
    args = shlex.split(words)
    assert args[:3] == ["dnscertscan", "ct", "inventory"]
    monkeypatch.chdir("/")  # it can be pasted as it stands, wherever one is
    done = run(*args[3:], "--reason", "the shop of Anna", bare=True)
    monkeypatch.chdir(Path.home())
    assert (done.status, done.err) == (0, "")
    assert f"shop.watched.com (TBS {ours.tbs_sha256})" in done.out
    done = run()
    assert (done.status, len(blocks(done.out))) == (2, 1)
    assert "1 unknown; 1 accepted; 1 known" in done.out.splitlines()[0]
    (told,) = [one for one in json.loads(run("-f", "json").out)["issuances"] if one["state"] == "accepted"]
    assert re.fullmatch(r"accepted until \d{4}-\d\d-\d\d 23:59 UTC \(the shop of Anna\) in .*ct-inventory.sqlite", told["reason"])


def test_accepting_one_that_must_not_be(run: Run, company: Company) -> None:
    """Of another CA, never seen, without an end, with one that is too far or over: status 3, and nothing is kept."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    rogue = issue(company.other, "www.watched.com", logs=company.logs)
    assert "no run of the inventory" in run("--accept-tbs", "ab" * 32, "--until", "2030-01-01", bare=True).out + run(
        "--accept-tbs", rogue.tbs_sha256, "--until", f"{company.now + timedelta(days=5):%Y-%m-%d}", bare=True).out
    assert run("--issuer", company.issuer).status == 2
    soon = f"{company.now + timedelta(days=5):%Y-%m-%d}"
    for args, words in (
        ((rogue.tbs_sha256, "--until", soon), "is wrong-issuer: that is never accepted; acknowledge it with --interactive"),
        (("ab" * 32, "--until", soon), "no run has shown an issuance"), ((rogue.tbs_sha256,), "needs an end"),
        ((rogue.tbs_sha256, "--until", "2020-01-01"), "not within the next 400 days"),
        ((rogue.tbs_sha256, "--until", "2999-01-01"), "not within the next 400 days"),
        ((rogue.tbs_sha256, "--until", "soon"), "is no date"), ((rogue.tbs_sha256, "--domain", "x.com"), "asks nobody"),
    ):
        done = run("--accept-tbs", *args, bare=True)
        assert done.status == 3
        assert done.out.startswith("CT INVENTORY UNKNOWN - ")
        assert words in done.out, args
    with sqlite3.connect(Path.home() / ".local/state/dnscertscan/ct-inventory.sqlite") as base:
        assert base.execute("SELECT count(*) FROM decisions").fetchone() == (0,)
    base.close()


def test_learn_review_accept(run: Run, company: Company, tmp_path: Path) -> None:
    """What is learnt does not count until a person says so; alarms are not in the file, and an entry for one is no help."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    ours = issue(company.ca, "shop.watched.com", logs=company.logs)
    rogue = issue(company.other, "www.watched.com", logs=company.logs)
    done = run(*REVIEW, "--issuer", company.issuer)
    assert done.status == 2
    assert "review.toml: 1 new entry to review" in done.out
    path = tmp_path / "review.toml"
    (entry,) = tomllib.loads(path.read_text())["issuance"]
    assert (entry["tbs_sha256"], entry["decision"]) == (ours.tbs_sha256, "review")
    assert entry["until"] == (company.now + timedelta(days=90)).date()
    assert "1 unknown" in run(*REVIEW, "--issuer", company.issuer).out.splitlines()[0]  # seen twice, still not ours
    path.write_text(path.read_text().replace('decision = "review"', 'decision = "accept"'))
    again = f'[[issuance]]\ntbs_sha256 = "{rogue.tbs_sha256}"\ndecision = "accept"\nuntil = {entry["until"]}\n'
    path.write_text(path.read_text() + again)
    done = run(*REVIEW, "--issuer", company.issuer)
    assert done.out.startswith("CT INVENTORY CRITICAL - 1 of another CA; 1 accepted; 1 known;")
    assert "what accepts it does not count" in blocks(done.out)[0]["why"]
    path.write_text(path.read_text().replace(again, "").replace(f"until = {entry['until']}", "until = 2026-01-01"))
    assert "it was accepted until 2026-01-01 23:59 UTC" in run("--accept", "review.toml").out


def test_a_serial_number_used_twice(run: Run, company: Company) -> None:
    """CT has the twin of a certificate that only lies here: critical, and never learnt."""
    site = company.deploy(issue(company.ca, "www.watched.com", logs=[]))
    twin = serial_twin(site, logs=company.logs)
    for source in ("sslmate", "crtsh"):
        done = run(*REVIEW, source=source)
        assert done.status == 2
        assert "with a serial number used twice" in done.out.splitlines()[0]
        assert twin.tbs_sha256 in done.out
        assert not Path("review.toml").exists()


def test_new_ones_are_a_warning(run: Run, company: Company) -> None:
    """Younger than --grace: status 1, and from when on it is critical; the grace can be shorter."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    issue(company.ca, "new.watched.com", logs=company.logs, not_before=company.now - timedelta(hours=3))
    done = run()
    assert (done.status, blocks(done.out)[0]["head"]) == (1, "UNKNOWN CERTIFICATE (WARNING): new.watched.com")
    assert run("--grace", "2h").status == 2


def test_wrong_calls(run: Run, company: Company, tmp_path: Path) -> None:
    """Status 3 with a first line for Nagios, and nothing is asked."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    (tmp_path / "empty").mkdir()
    for args, words in (
        ((), "name at least one PATH"), (("empty",), "no certificate, key or CSR was found"),
            (("none",), "none: cannot be read"),
        (("acme", "--until", "2027-01-01"), "--until goes with --accept-tbs"), (("acme", "--learn-days", "0"), "learn-days"),
        (("acme", "--nonsense"), "nonsense"), (("acme", "--search", "crtish"), "unknown search source"),
        (("acme", "--search", "certspotter"), "needs a place"), (("acme", "--issuer", "none.pem"), "none.pem"),
        (("acme", "--issuer", "sha256:12"), "is no digest of a key"), (("acme", "--accept", "none.toml"), "no such file"),
        (("acme", "--grace", "soon"), "no duration"), (("acme", "--grace", "99999w"), "more than 400 days"),
        (("acme", "--interactive"), "needs a terminal"),
            (("acme", "--database", str(tmp_path)), "name another file with --database"),
    ):
        done = run(*args, bare=True)
        assert done.status == 3, args
        assert done.out.startswith("CT INVENTORY UNKNOWN - "), args
        assert words in done.out, args
        assert len(done.out.splitlines()) == 1
    done = run("acme", "--interactive", "-f", "json", bare=True)
    assert (done.status, "does not go with -f json" in json.loads(done.out)["error"]) == (3, True)
    assert not company.sslmate.requests


def test_a_named_path_that_cannot_be_read(run: Run, company: Company, tmp_path: Path) -> None:
    """The other paths are compared; what is unknown then is not decided, another CA still is."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    issue(company.ca, "shop.watched.com", logs=company.logs)
    done = run("none")
    assert done.status == 3
    assert "not decided: none: cannot be read" in done.out
    assert blocks(done.out)[0]["head"] == "UNKNOWN CERTIFICATE (UNKNOWN): shop.watched.com"
    issue(company.other, "shop.watched.com", logs=company.logs)
    assert run("none", "--issuer", company.issuer).status == 2


def test_json(run: Run, company: Company) -> None:
    """Everything as data: every issuance with its state, the answers, the status."""
    site = company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    other = issue(company.ca, "shop.watched.com", logs=company.logs)
    (company.folder / "broken.pem").write_text("-----BEGIN CERTIFICATE-----")
    done = run("-f", "json")
    found = json.loads(done.out)
    assert (done.status, found["status"], found["exit_status"]) == (2, "CRITICAL", 2)
    assert found["schema"] == "dnscertscan/ct-inventory/1"
    states = {one["tbs_sha256"]: one["state"] for one in found["issuances"]}
    assert states == {site.tbs_sha256: "known", other.tbs_sha256: "unknown"}
    assert found["answers"][0]["verdict"] == "found"
    assert "no matching END line" in found["notes"][0]
    assert found["local"] == {"certificates": 1, "keys": 1, "ca_certificates": 1}


def test_configuration(run: Run, company: Company, tmp_path: Path) -> None:
    """Sources and issuers of [ct] are used where the command line names none."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    issue(company.other, "www.watched.com", logs=company.logs)
    (tmp_path / "dnscertscan.toml").write_text(
        f'[ct]\nissuers = ["issuer.pem"]\n[[ct.search]]\nkind = "sslmate"\nplace = "{company.sslmate.url}"\n'
    )
    done = run("acme", bare=True)
    assert (done.status, "1 of another CA; 1 known" in done.out) == (2, True)


def test_in_a_process_of_its_own(company: Company, tmp_path: Path) -> None:
    """As Nagios runs it; twice at the same time with one database."""
    company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    command = [*COMMAND, "ct", "inventory", "acme", "--search", f"sslmate:{company.sslmate.url}", "--database", "d.sqlite"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, cwd=tmp_path, env=clean_environment(tmp_path), **pipes) for _ in range(2)]
    for one in both:
        out, err = one.communicate(timeout=60)
        assert (one.returncode, err) == (0, "")
        assert out.startswith("CT INVENTORY OK - 1 known; watched.com: sslmate | ")
