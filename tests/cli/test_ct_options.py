"""CT on the command line: options become settings, settings become parts, and nonsense is said before anything is scanned."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from servers.command import COMMAND, clean_environment

from dnscertscan.assembly import assemble
from dnscertscan.assembly.ct import ct_policy, issuer_keys
from dnscertscan.cli.options import load_settings
from dnscertscan.demo.authority import Authority, pem
from dnscertscan.errors import ConfigError, UsageError
from dnscertscan.model.certificates import Certificate
from dnscertscan.pipeline import Parts
from dnscertscan.pki.parse import parse
from dnscertscan.settings.load import Loaded
from dnscertscan.settings.models import Settings

NOW = datetime.now(UTC)


def settings(**ct: Any) -> Loaded:
    return Loaded(Settings.model_validate({"ct": ct}), None, {})


def made(folder: Path, told: list[str] | None = None, *, dry: bool = False, **ct: Any) -> Parts:
    """The parts of a run of somebody whose home is ``folder``."""
    tell = (told if told is not None else []).append
    return assemble(settings(**ct), {"HOME": str(folder)}, dry=dry, tell=tell)


def test_options_become_settings(tmp_path: Path) -> None:
    """Each option is its key; a service keeps its token; a list named here is not held to the signature of another one."""
    config = tmp_path / "c.toml"
    text = '[ct]\nlog_list = "a"\nlog_list_signature = "a.sig"\nlog_list_key = "k.pem"\n[[ct.search]]\nkind = "crtsh"\n'
    config.write_text(text)
    given = {"config": config, "ct_search": ("sslmate", "certspotter:/var/lib/cs"), "ct_inclusion": True, "ct_names": True}
    ct = load_settings({**given, "ct_known": (Path("k"),), "ct_log_list": Path("own.json")}).settings.ct
    assert [(one.kind, one.place) for one in ct.search] == [("sslmate", ""), ("certspotter", "/var/lib/cs")]
    assert (ct.inclusion, ct.names, ct.known, ct.log_list) == (True, True, (Path("k"),), Path("own.json"))
    assert (ct.log_list_signature, ct.log_list_key) == (None, None)
    config.write_text(text + 'token = "env:T"\nper_minute = 3\n')
    mixed = load_settings({"config": config, "ct_search": ("crtsh", "crtsh:https://mine.example")}).settings.ct.search
    assert [(one.place, one.token, one.per_minute) for one in mixed] == [("", "env:T", 3), ("https://mine.example", None, None)]
    kept = load_settings({"config": config}).settings.ct
    assert (kept.log_list_signature, [one.kind for one in kept.search]) == (tmp_path / "a.sig", ["crtsh"])


def test_the_default_asks_nobody(tmp_path: Path) -> None:
    """The audit is on, with a list of logs; nothing else is. Without the audit there is no list."""
    parts = made(tmp_path)
    assert (parts.ct, parts.log_list is not None) == (None, True)
    assert made(tmp_path, audit=False).log_list is None


def test_an_old_list_is_no_warning_of_its_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is a finding where it matters; in the log it is information. A damaged list that was kept is a warning."""
    told: list[str] = []
    later = datetime(2030, 1, 1, tzinfo=UTC)
    with caplog.at_level("INFO", "dnscertscan"):
        assemble(settings(), {"HOME": str(tmp_path)}, later, tell=told.append)
    assert (told, [record.levelname for record in caplog.records if "days old" in record.message]) == ([], ["INFO"])
    kept = tmp_path / ".local" / "state" / "dnscertscan" / "loglists"
    kept.mkdir(parents=True)
    (kept / "google-20291201T000000Z.json").write_text("{}")
    assemble(settings(), {"HOME": str(tmp_path)}, later, tell=told.append)
    assert all("loglists" in line for line in told)
    assert told


def test_a_dry_run_searches_only_for_names(tmp_path: Path) -> None:
    """What would be scanned depends on CT only with the names from there."""
    search = [{"kind": "crtsh"}]
    assert made(tmp_path, dry=True, search=search).ct is None
    parts = made(tmp_path, dry=True, search=search, names=True)
    assert parts.ct is not None
    assert (parts.ct.names, parts.log_list) == (True, None)


def test_what_is_asked(tmp_path: Path) -> None:
    """Budgets, folders and switches arrive where they are used."""
    ct = made(tmp_path, search=[{"kind": "crtsh"}], budget="30s", inclusion=True, log_budget=7).ct
    assert ct is not None
    assert ct.services is not None
    assert ct.logs is not None
    assert ct.caa is not None
    assert (ct.services.seconds, ct.caa.seconds, ct.logs.limits.seconds) == (30, 30, 7)
    assert ct.services.cache == tmp_path / ".cache" / "dnscertscan" / "ct-search.sqlite"
    assert ct.logs.folder == tmp_path / ".local" / "state" / "dnscertscan"
    plain = made(tmp_path, search=[{"kind": "crtsh"}], caa=False, cache="elsewhere").ct
    assert plain is not None
    assert plain.services is not None
    assert (plain.caa, plain.logs, plain.services.cache) == (None, None, Path("elsewhere/ct-search.sqlite"))


@pytest.mark.parametrize(("ct", "said"), [
    ({"search": [{"kind": "crtsch"}]}, "unknown search source 'crtsch'"),
    ({"search": [{"kind": "certspotter"}]}, "certspotter needs a place"),
    ({"search": [{"kind": "crtsh", "place": "ftp://x"}]}, "the place of the search source crt.sh"),
    ({"search": [{"kind": "sslmate", "token": "env:UNSET"}]}, "environment variable UNSET"),
    ({"search": [{"kind": "sslmate", "place": "http://a.example", "token": "env:HOME"}]}, "only sent over https"),
    ({"names": True}, "--ct-search"),
    ({"audit": False, "inclusion": True}, "ct.audit is false"),
    ({"audit": False, "search": [{"kind": "crtsh"}]}, "ct.audit is false"),
])
def test_what_cannot_be_asked(tmp_path: Path, ct: dict[str, Any], said: str) -> None:
    """A usage error before anything is scanned."""
    with pytest.raises(UsageError, match=said):
        made(tmp_path, **ct)


def test_without_a_home() -> None:
    """Proofs need a place; a search does without a cache."""
    with pytest.raises(UsageError, match="set HOME or XDG_STATE_HOME"):
        assemble(settings(inclusion=True), {})
    ct = assemble(settings(search=[{"kind": "crtsh"}]), {}).ct
    assert ct is not None
    assert ct.services is not None
    assert ct.services.cache is None


def test_issuers(tmp_path: Path) -> None:
    """Keys by their digest, or by all certificates of a file; a file without any is a configuration error."""
    root = Authority.root("One", now=NOW)
    both = [root.certificate, Authority.root("Two", now=NOW).certificate]
    place = tmp_path / "cas.pem"
    place.write_bytes(pem(both))
    keys = {parse(Certificate(one.public_bytes(Encoding.DER))).key.digest.hex() for one in both}
    assert issuer_keys([str(place), "sha256:" + "ab" * 32]) == keys | {"ab" * 32}
    policy = ct_policy(settings(issuers=[str(place)]).settings, {}, NOW, list[str]().append)
    assert policy is not None
    assert policy.issuers == keys
    assert [one.der for one in policy.issuer_certificates] == [one.public_bytes(Encoding.DER) for one in both]
    place.write_text("nothing")
    for text in (str(place), str(tmp_path / "none.pem")):
        with pytest.raises(ConfigError, match=str(tmp_path)):
            issuer_keys([text])


def test_known_keys_are_read_once(tmp_path: Path) -> None:
    """From files and folders; what cannot be used is told and costs nothing else."""
    leaf = Authority.root("Root", now=NOW).leaf("www.example.com")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "key.pem").write_bytes(leaf.key_pem)
    told: list[str] = []
    ct = made(tmp_path, told, search=[{"kind": "crtsh"}], known=[tmp_path / "keys", tmp_path / "none"]).ct
    assert ct is not None
    assert list(ct.known.keys.values()) == [str(tmp_path / "keys" / "key.pem")]
    assert len([line for line in told if str(tmp_path / "none") in line]) == 1


def scan(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "zones.json").write_text(json.dumps({"example.com": [{"type": "TXT", "name": "@", "ttl": 1, "target": "x"}]}))
    command = [*COMMAND, "scan", "--from-zones-json", "zones.json", *options]
    return subprocess.run(
        command, cwd=folder, env=clean_environment(folder), capture_output=True, text=True, timeout=60, check=False
    )


def test_nothing_is_scanned_when_the_search_cannot_be(tmp_path: Path) -> None:
    """Exit status 2, one line, no journal left."""
    done = scan(tmp_path, "--ct-search", "nowhere")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "crtsh" in done.stderr
    assert list((tmp_path / ".local").rglob("*.journal")) == []

