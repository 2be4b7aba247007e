"""`dnscertscan ct loglist` as a user runs it: files, URLs of a local server in every broken way, exit statuses, the kept list."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers import ct_data
from servers.command import COMMAND, Done, clean_environment, closed_port
from servers.http_site import Site, answer
from servers.log_lists import document, entry, key_pem, log_id, sign

from dnscertscan.assembly import fetch
from dnscertscan.cli import main
from dnscertscan.ct import loglist, loglist_update
from dnscertscan.ct.loglist import seed

FRESH = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`dnscertscan ct loglist ...` in an empty folder, with a home of its own; through the entry point, in this process."""
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    def command(*args: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["dnscertscan", "ct", "loglist", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return command


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[], list[str]]:
    """What is in the state folder."""
    folder = tmp_path / ".local/state/dnscertscan/loglists"
    return lambda: sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def ours(tmp_path: Path, *entries: dict, timestamp: str = FRESH) -> bytes:
    """A list of ours in a file, with signature and key beside it."""
    raw = document(list(entries) or [entry(1), entry(2)], timestamp=timestamp)
    for name, octets in (("list.json", raw), ("list.sig", sign(raw)), ("key.pem", key_pem())):
        (tmp_path / name).write_bytes(octets)
    return raw


def test_show_the_seed(tmp_path: Path) -> None:
    """In a process of its own: each log in a table, the list's name and age below it, and the warning that it is old."""
    done = subprocess.run([*COMMAND, "ct", "loglist", "show"], capture_output=True, text=True, timeout=60, cwd=tmp_path,
                          env=clean_environment(tmp_path), check=False)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("seed 89.34 of 2026-08-29 (")
    assert len(done.stdout.splitlines()) == len(seed().logs) + 3
    assert "run `dnscertscan ct loglist update`" in done.stderr


def test_show_of_another_day(run: Run) -> None:
    """--at and --state: what was readonly on a day of 2024; no warning, for it is the list of that day."""
    done = run("show", "--at", "2024-06-01", "--state", "readonly")
    assert (done.status, done.err) == (0, "")
    (row,) = [line for line in done.out.splitlines() if "rfc6962" in line]
    assert "Sectigo 'Sabre' CT log" in row
    assert "2024-05-06" in row


def test_shown_json_is_a_list(run: Run, tmp_path: Path) -> None:
    """What `-f json` writes can be verified and shown again."""
    done = run("show", "--at", "2025-03-01", "-f", "json")
    (tmp_path / "day.json").write_text(done.out)
    assert run("verify", "day.json", "--no-signature", "--at", "2025-03-02").status == 0
    again = run("show", "--list", "day.json", "--at", "2025-03-01", "-f", "json")
    assert json.loads(again.out)["logs"] == json.loads(done.out)["logs"]


def test_verify_says_what_is_in_it(run: Run) -> None:
    """A real list, its signature beside it: status 0, and 1 with a wrong signature."""
    place = ct_data.path("loglists/chrome_v3_2026-01-03.json")
    done = run("verify", place, "--at", "2026-02-01")
    assert (done.status, done.err) == (0, "")
    assert "google 80.14 of 2026-01-02 (29 days old, signed): 75 logs of 8 operators" in done.out
    assert "no guard objects" in done.out
    done = run("verify", place, "--signature", place.with_name("chrome_v3_2025-11-01.sig"))
    assert done.status == 1
    assert "refused: checked with Google's key: the signature (512 octets) is not by this key" in done.out


def test_verify_every_objection(run: Run, tmp_path: Path) -> None:
    """All guards speak, each in a line of its own."""
    ours(tmp_path, entry(1), entry(1), entry(2, mmd=0))
    done = run("verify", "list.json")
    assert done.status == 1
    starts = [line.split(":")[0] for line in done.out.splitlines()]
    assert starts[1:-1] == ["refused", "refused", "left out"]
    assert run("verify", "list.json", "--key", "key.pem").status == 1
    ours(tmp_path)
    assert run("verify", "list.json", "--key", "key.pem").status == 0
    (tmp_path / "list.sig").unlink()
    assert "it has no signature" in run("verify", "list.json").out
    assert run("verify", "list.json", "--no-signature").status == 0


def test_update_from_files(run: Run, kept: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's own list from a file: kept with its signature; an older one then is a rollback, and changes nothing.

    The release has the seed of a day before both, since the real lists that are at hand with a signature are older than today's.
    """
    shipped_then = seed().as_of(datetime(2025, 10, 1, tzinfo=UTC))
    for module in (loglist, loglist_update):
        monkeypatch.setattr(module, "seed", lambda: shipped_then)
    place = ct_data.path("loglists/chrome_v3_2026-01-03.json")
    done = run("update", "--from", place)
    assert (done.status, done.err) == (0, "")
    assert kept() == ["google-20260102T125701Z.json", "google-20260102T125701Z.sig"]
    done = run("update", "--from", place.with_name("chrome_v3_2025-11-01.json"))
    assert done.status == 1
    assert "older than the one in use of 2026-01-02" in done.err
    assert "google 80.14 of 2026-01-02" in done.err.splitlines()[-1]
    assert len(kept()) == 2
    assert run("verify", place.with_name("chrome_v3_2025-11-01.json")).status == 1


def test_update_from_a_server(run: Run, tmp_path: Path, site: Site, kept: Callable[[], list[str]]) -> None:
    """List and signature by URL, a key of one's own; the logs are in the list in use from then on."""
    raw = ours(tmp_path)
    site.pages |= {"/list.json": raw, "/list.sig": sign(raw)}
    done = run("update", "--from", site.url("/list.json"), "--key", "key.pem")
    assert (done.status, done.err) == (0, "")
    assert "(2 days old, signed): in use" in done.out
    assert len(kept()) == 3
    assert log_id(1).hex()[:16] in run("show").out
    assert "nothing newer there" in run("update", "--from", site.url("/list.json"), "--key", "key.pem").out


BROKEN = {
    "missing": (None, 3, "the server answered 404"),
    "server error": (answer(502, b"<html>Bad gateway</html>"), 3, "the server answered 502"),
    "html": (b"<!DOCTYPE html><html>please log in</html>", 1, "it is an HTML page"),
    "empty": (answer(200, b""), 1, "it is empty"),
    "huge": (b" " * (4 * 1024 * 1024 + 1), 3, "longer than 4194304 octets"),
    "gzip": (answer(200, b"x", content_encoding="gzip"), 3, "compressed"),
    "elsewhere": (answer(302, location="file:///etc/passwd"), 3, "only http and https"),
    "in circles": (answer(302, location="/list.json"), 3, "more than 3 redirects"),
    "truncated": (document([entry(1), entry(2)], timestamp=FRESH)[:200], 1, "not JSON, or cut off"),
}


def cut_short(handler: object) -> None:
    """Less than the length that was promised."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'{"version": ')


@pytest.mark.parametrize("case", [*BROKEN, "cut short"])
def test_update_from_a_broken_server(run: Run, tmp_path: Path, site: Site, kept: Callable[[], list[str]], case: str) -> None:
    """One clear line, a status that says whether the list or its server is at fault, and the last good list stays in use."""
    ours(tmp_path)
    assert run("update", "--from", "list.json", "--key", "key.pem").status == 0
    before = kept()
    page, status, words = BROKEN.get(case, (cut_short, 3, "the connection failed"))
    if page is not None:
        site.pages["/list.json"] = page
    site.pages["/list.sig"] = b"s" * 256
    done = run("update", "--from", site.url("/list.json"), "--key", "key.pem")
    assert done.status == status
    assert words in done.err
    assert "Traceback" not in done.err
    assert kept() == before


def test_a_server_that_is_slow_or_gone(site: Site) -> None:
    """One octet at a time is cut off by the clock; a closed port is said to be closed."""
    site.pages["/list.json"] = site.drip
    started = time.monotonic()
    slow, gone = fetch([site.url("/list.json"), f"http://127.0.0.1:{closed_port()}/list.json"], 1000, timeout=1.0)
    assert "no whole answer within 1 s" in slow.problem
    assert "no connection" in gone.problem
    assert "revocation" not in slow.problem + gone.problem
    assert time.monotonic() - started < 10


def test_a_missing_signature(run: Run, tmp_path: Path, site: Site, kept: Callable[[], list[str]]) -> None:
    """Neither a file nor a URL is taken without its signature, unless the operator says that the list is his own."""
    raw = ours(tmp_path)
    (tmp_path / "list.sig").unlink()
    site.pages["/list.json"] = raw
    done = run("update", "--from", "list.json")
    assert (done.status, kept()) == (1, [])
    assert "--no-signature" in done.err
    done = run("update", "--from", site.url("/list.json"))
    assert (done.status, kept()) == (3, [])
    assert "list.sig: not fetched: the server answered 404 Not Found; name its signature with --signature" in done.err
    done = run("update", "--from", site.url("/list.json"), "--no-signature")
    assert done.status == 0
    assert "not signed" in done.out
    assert len(kept()) == 1


def test_wrong_calls(run: Run, tmp_path: Path) -> None:
    """Status 2, and nothing is kept."""
    ours(tmp_path)
    for args in (
        ("update", "--from", "none.json"), ("update", "--from", "list.json", "--no-signature", "--key", "key.pem"),
        ("verify", "none.json"), ("show", "--at", "yesterday"), ("show", "--list", "none.json"), ("show", "--state", "x"),
        ("update", "--from", "list.json", "--key", "none.pem"), ("update", "--from", "list.json", "--signature", "none.sig"),
    ):
        done = run(*args)
        assert (done.status, done.out) == (2, ""), args
    assert not (tmp_path / ".local").exists()


def test_a_list_of_ones_own_in_the_configuration(run: Run, tmp_path: Path) -> None:
    """`log_list` in [ct], relative to the file, is beside the seed; one that cannot be used is an error of the configuration."""
    ours(tmp_path)
    (tmp_path / "dnscertscan.toml").write_text('[ct]\nlog_list = "list.json"\n')
    done = run("show")
    assert done.status == 0
    assert "seed+own" in done.out.splitlines()[-1]
    assert log_id(2).hex()[:16] in done.out
    (tmp_path / "list.json").write_text("{")
    done = run("show")
    assert done.status == 2
    assert "ct.log_list" in done.err
