"""`dnscertscan ct inventory`: what is kept from run to run, what a person decided, and what takes that back."""

import json
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from servers.ct_inventory import Company, Run, blocks, runner
from servers.ct_issue import issue, serial_twin

from dnscertscan.ct.inventory_store import InventoryStore
from dnscertscan.ct.inventory_values import Decision, Kind
from dnscertscan.errors import OutputError


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Company(tmp_path) as running:
        running.deploy(issue(running.ca, "www.watched.com", logs=running.logs))
        yield running


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], company: Company) -> Run:
    return runner(company, tmp_path, monkeypatch, capsys)


def soon(company: Company) -> str:
    return f"{company.now + timedelta(days=5):%Y-%m-%d}"


def certspotter(folder: Path, *found: bytes) -> Path:
    """A state folder as certspotter makes it."""
    for name in ("certs", "logs", "healthchecks"):
        (folder / name).mkdir(parents=True)
    (folder / "version").write_text("2\n")
    for number, octets in enumerate(found):
        (folder / "certs" / f"{number:02x}").mkdir()
        (folder / "certs" / f"{number:02x}" / "one.pem").write_bytes(octets)
    return folder


def test_what_certspotter_found_is_not_ours(run: Run, company: Company, tmp_path: Path) -> None:
    """Its folder among the paths, a part of it, a link into it: a line, nothing is known by it, now or later."""
    forged = issue(company.ca, "shop.watched.com", logs=company.logs)
    folder = certspotter(tmp_path / "state" / "certspotter", forged.credential.chain_pem)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.pem").symlink_to(folder / "certs" / "00" / "one.pem")
    (tmp_path / "links" / "more").symlink_to(folder / "certs")
    for path in (folder, folder.parent, folder / "certs" / "00", folder / "certs/00/one.pem", tmp_path / "links"):
        done = run(path)
        assert done.status == 2, path
        assert "shop.watched.com" in blocks(done.out)[0]["head"]
        assert "is of the state folder of a certspotter" in done.out
    assert run().status == 2
    (folder / "version").unlink()  # not to be recognised, but for the place it is searched at
    done = run(folder, "--search", f"certspotter:{folder}")
    assert "is of the state folder" in done.out
    assert "1 unknown" in done.out.splitlines()[0]


def test_what_an_earlier_run_knew_can_be_forgotten(run: Run, company: Company) -> None:
    """It is said what is known by that alone; forgotten, it is unknown; one that nobody knew cannot be forgotten."""
    old = company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))
    extra = company.folder / "extra.pem"
    more = issue(company.ca, "shop.watched.com", logs=company.logs)
    extra.write_bytes(more.credential.chain_pem)
    assert "earlier run" not in run().out
    extra.unlink()
    done = run()
    assert "1 known only from an earlier run, the first for shop.watched.com" in done.out
    assert "--forget-tbs HASH" in done.out
    found = {one["tbs_sha256"]: one["only_from_an_earlier_run"] for one in json.loads(run("-f", "json").out)["issuances"]}
    assert found[more.tbs_sha256]
    assert not found[old.tbs_sha256]
    assert run("--forget-tbs", "ab" * 32, bare=True).status == 3
    assert run("--forget-tbs", more.tbs_sha256, "--grace", "1h", bare=True).status == 3
    assert run("--forget-tbs", more.tbs_sha256, bare=True).status == 0
    assert more.tbs_sha256 in {one["TBS hash"] for one in blocks(run().out)}
    done = run("--forget-tbs", "all", "-f", "json", bare=True)
    assert json.loads(done.out)["forgotten"] >= 1


def test_a_ca_that_cannot_be_told_is_not_accepted(run: Run, company: Company, tmp_path: Path) -> None:
    """Its CA may be any: not by the file, not by the command."""
    rogue = issue(company.other, "shop.watched.com", logs=company.logs)
    found = json.loads(run("--issuer", "sha256:" + "ab" * 32, "-f", "json", source="crtsh").out)["issuances"]
    assert {one["tbs_sha256"]: one["state"] for one in found}[rogue.tbs_sha256] == "issuer-undecided"
    done = run("--accept-tbs", rogue.tbs_sha256, "--until", soon(company), bare=True)
    assert (done.status, "is of a CA that cannot be told, so it is not accepted" in done.out) == (3, True)


def test_accepting_as_json(run: Run, company: Company) -> None:
    """One object, whether it is kept or not."""
    ours = issue(company.ca, "shop.watched.com", logs=company.logs)
    run()
    done = run("--accept-tbs", ours.tbs_sha256, "--until", soon(company), "-f", "json", bare=True)
    found = json.loads(done.out)
    assert (done.status, found["schema"], found["status"]) == (0, "dnscertscan/ct-inventory/1", "OK")
    assert found["accepted"]["tbs_sha256"] == ours.tbs_sha256
    done = run("--accept-tbs", "ab" * 32, "--until", soon(company), "-f", "json", bare=True)
    assert (done.status, json.loads(done.out)["status"]) == (3, "UNKNOWN")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("acme", "--reason", "x"), "--reason goes with --accept-tbs"), (("--issuer", "issuer.pem"), "asks nobody"),
        (("--grace", "2h"), "asks nobody"), (("--budget", "5"), "asks nobody"), (("--learn-days", "5"), "asks nobody"),
        (("--accept", "x"), "asks nobody"), (("--forget-tbs", "all"), "do not go together"),
    ],
)
def test_options_that_would_do_nothing(run: Run, company: Company, args: tuple[str, ...], words: str) -> None:
    """They are refused, not passed over."""
    more = () if args[0] == "acme" else ("--accept-tbs", "ab" * 32, "--until", soon(company))
    done = run(*args, *more, bare=True)
    assert done.status == 3
    assert words in done.out


def test_times_at_the_ends_of_the_calendar(run: Run) -> None:
    """No date, though it looks like one."""
    for until in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"):
        done = run("--accept-tbs", "ab" * 32, "--until", until, bare=True)
        assert (done.status, "is no date" in done.out) == (3, True)


def test_what_cannot_be_kept_costs_no_alarm(
    run: Run, company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A --learn file that is none, a database that is full: the report is there with its alarms, and says so."""
    issue(company.other, "www.watched.com", logs=company.logs)
    Path("broken.toml").write_text("[[[")
    for args in (("--learn", "broken.toml"), ("--learn", "/proc/none/review.toml")):
        done = run("--issuer", company.issuer, *args)
        assert done.out.startswith("CT INVENTORY CRITICAL - 1 of another CA; "), args
        assert f"not decided: {args[1]}: " in done.out

    def full(*_: object) -> None:
        raise OutputError("d.sqlite: cannot be used for decisions: database or disk is full")

    monkeypatch.setattr(InventoryStore, "note", full)
    done = run("--issuer", company.issuer)
    assert done.status == 2
    assert len(blocks(done.out)) == 1
    assert "not decided: d.sqlite: cannot be used for decisions" in done.out
    found = json.loads(run("-f", "json").out)
    assert (found["status"], "disk is full" in found["undecided"][0]) == ("CRITICAL", True)


def test_a_post_dated_certificate_is_critical_after_the_grace(run: Run, company: Company) -> None:
    """What its CA wrote into it does not put the alarm off: the grace is counted from the first run that met it."""
    issue(company.ca, "shop.watched.com", logs=company.logs, not_before=company.now + timedelta(days=20))
    assert run().status == 1
    assert run("--grace", "0.01s").status == 2


def test_a_rejection(run: Run, company: Company, tmp_path: Path) -> None:
    """It stays, whatever its until is; no command accepts it, but where it was rejected is said."""
    issue(company.ca, "shop.watched.com", logs=company.logs)
    run("--learn", "review.toml")
    path = tmp_path / "review.toml"
    path.write_text(path.read_text().replace('decision = "review"', 'decision = "reject"').replace("until = 20", "until = 19"))
    (one,) = blocks(run("--accept", path).out)
    assert one["head"].startswith("REJECTED CERTIFICATE (CRITICAL)")
    assert one["accept"].startswith(f"rejected in {path}; ")
    assert "--accept-tbs" not in one["accept"]
    assert "a rejection has no end" in one["why"]


def test_a_rejection_of_the_database(run: Run, company: Company) -> None:
    """That one is taken back by the command in its block."""
    ours = issue(company.ca, "shop.watched.com", logs=company.logs)
    run()
    at, path = company.now, Path.home() / ".local/state/dnscertscan/ct-inventory.sqlite"
    with InventoryStore(path, at) as store:
        store.decide(Decision(ours.tbs_sha256, Kind.REJECT, at + timedelta(days=36_500)), at)
    (one,) = blocks(run().out)
    assert one["accept"].startswith(f"rejected in {path}; this takes it back: dnscertscan ct inventory --accept-tbs")
    assert run(*shlex.split(one["accept"].partition("dnscertscan ct inventory ")[2]), bare=True).status == 0
    assert run().status == 0


def test_accepted_for_ever(run: Run, company: Company, tmp_path: Path) -> None:
    """An end that is too far away is none."""
    issue(company.ca, "shop.watched.com", logs=company.logs)
    run("--learn", "review.toml")
    path = tmp_path / "review.toml"
    path.write_text(path.read_text().replace('decision = "review"', 'decision = "accept"').replace("until = 20", "until = 29"))
    done = run("--accept", path)
    assert done.status == 2
    assert "does not count: write an end within the next 400 days" in done.out


def test_the_headline_names_what_was_asked_for(run: Run, company: Company) -> None:
    """A host is that host, though its domain is what services are asked for."""
    done = run("--domain", "www.watched.com")
    assert "; www.watched.com: sslmate | " in done.out.splitlines()[0]
    assert json.loads(run("--domain", "www.watched.com", "-f", "json").out)["domains"] == ["www.watched.com"]


def test_a_serial_number_used_twice_that_only_crtsh_has(run: Run, company: Company) -> None:
    """Both are in CT and neither lies here: crt.sh gives both, since what is signed differs, and both are alarms."""
    site = issue(company.ca, "shop.watched.com", logs=company.logs)
    twin = serial_twin(site, logs=company.logs)
    for source in ("crtsh", "sslmate"):
        done = run(source=source)
        assert done.status == 2
        assert "2 with a serial number used twice" in done.out.splitlines()[0]
        assert {one["TBS hash"] for one in blocks(done.out)} == {site.tbs_sha256, twin.tbs_sha256}
