"""A configuration is found, read, validated; problems say file, line, key and the nearest known key."""

import tomllib
from pathlib import Path

import pytest

from dnscertscan.errors import ConfigError, UsageError
from dnscertscan.settings.identity import differences, identity
from dnscertscan.settings.load import candidates, load
from dnscertscan.settings.models import AxfrZones, Settings

EXAMPLE = Path(__file__).parents[2] / "config" / "dnscertscan.example.toml"


def read(path: Path | None, **options: object):
    """Load with no environment and a home that has no configuration."""
    return load(path, {name.replace("__", "."): value for name, value in options.items()}, {}, Path("/nonexistent"))


def test_example_has_every_key_with_its_default() -> None:
    """The sample configuration is complete and says the truth: apart from its zones it equals the defaults."""
    loaded = read(EXAMPLE).settings
    assert loaded.model_copy(update={"zones": ()}) == Settings()
    assert isinstance(loaded.zones[1], AxfrZones)
    text = EXAMPLE.read_text()
    for section in (name for name in Settings.model_fields if name != "zones"):
        for key in Settings.model_fields[section].default.__class__.model_fields:
            assert f"{key}" in text, f"{section}.{key} is missing from the example"


def test_commented_keys_of_the_example_are_valid() -> None:
    """Uncommenting any line of the sample gives a valid configuration."""
    lines = [line.removeprefix("# ") if "# " in line and "=" in line and line.startswith("# ") and line[2] != "-" else line
             for line in EXAMPLE.read_text().splitlines()]
    lines = [line.removeprefix("# ") if line.startswith("# [[") else line for line in lines]
    text = "\n".join(line for line in lines if not line.startswith(("# ", "$")))
    data = tomllib.loads(text)
    data["trust"]["ca_files"] = ["x.pem"]
    assert Settings.model_validate(data).checks.expiring_for[0].issuer == "Internal CA"


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """A configuration works from any working directory."""
    config = tmp_path / "c.toml"
    config.write_text('[[zones]]\nkind = "json"\npath = "z.json"\n[trust]\nca_files = ["ca.pem"]\n')
    settings = read(config).settings
    assert str(settings.zones[0].path) == f"{tmp_path}/z.json"
    assert settings.trust.ca_files == (tmp_path / "ca.pem",)


def test_unknown_key_names_file_line_and_nearest(tmp_path: Path) -> None:
    """A typing error is found at once, with its line and what was meant."""
    config = tmp_path / "c.toml"
    config.write_text("[scan]\nports = [443]\n\nconcurency = 5\n")
    with pytest.raises(ConfigError) as caught:
        read(config)
    assert str(caught.value) == f"{config}:4: scan.concurency: unknown key; did you mean 'concurrency'?"


def test_several_problems_are_all_said(tmp_path: Path) -> None:
    """One line for each problem, array tables included."""
    config = tmp_path / "c.toml"
    zones = '[[zones]]\nkind = "axfr"\nzone = "a.example"\nservers = ["x:0"]\n'
    config.write_text(f'{zones}[scan]\nports = [70000]\ntimeout = "soon"\n')
    with pytest.raises(ConfigError) as caught:
        read(config)
    lines = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == [f"{config}:4:", f"{config}:6:", f"{config}:7:"]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"[scan\n", b"a = 1\na = 2\n", b"scan = 3\n", b"zones = {}\n", b"[[zones]]\nkind='x'\n"]
)
def test_unusable_files(tmp_path: Path, content: bytes) -> None:
    """Broken encodings, syntax and types are configuration errors that name the file."""
    config = tmp_path / "c.toml"
    config.write_bytes(content)
    with pytest.raises(ConfigError, match=r"c\.toml"):
        read(config)


def test_missing_and_directory(tmp_path: Path) -> None:
    """A configuration named but not there is an error, never silently the defaults."""
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match="cannot read"):
            read(path)


def test_options_win_and_origins_say_so(tmp_path: Path) -> None:
    """The command line wins over the file; every value's origin is known."""
    config = tmp_path / "c.toml"
    config.write_text("[scan]\nconcurrency = 7\nper_address = 2\n")
    loaded = read(config, scan__concurrency=9)
    assert (loaded.settings.scan.concurrency, loaded.settings.scan.per_address) == (9, 2)
    assert loaded.origins["scan.concurrency"] == "command line"
    assert loaded.origins["scan.per_address"] == f"{config}:3"


def test_bad_option_is_a_usage_error() -> None:
    """A bad value on the command line says so."""
    with pytest.raises(UsageError, match=r"^command line: scan\.concurrency: "):
        read(None, scan__concurrency=0)


def test_search_order() -> None:
    """./, XDG, /etc: the first found is used."""
    found = candidates({"XDG_CONFIG_HOME": "/x"}, Path("/home/u"))
    assert [str(path) for path in found] == ["dnscertscan.toml", "/x/dnscertscan/config.toml", "/etc/dnscertscan/config.toml"]
    assert candidates({}, Path("/home/u"))[1] == Path("/home/u/.config/dnscertscan/config.toml")


def test_digest_follows_the_settings() -> None:
    """Equal settings, equal digest."""
    assert read(None).digest == read(None).digest != read(None, scan__concurrency=9).digest


def test_what_makes_a_run_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pace, outputs, log and the journal do not; what is scanned and judged, and the folder that a relative path means, do."""
    zones = [{"kind": "json", "path": "z.json"}]
    first = identity(read(None, zones=zones).settings)
    elsewhere = {
        "scan__concurrency": 9, "scan__rate": 3, "scan__deadline": 5, "output__files": ["r.csv"], "log__level": "debug",
        "journal__resume": True, "journal__path": "j", "resolve__in_flight": 7,
    }
    assert identity(read(None, zones=zones, **elsewhere).settings) == first
    assert read(None, zones=zones, journal__resume=True).digest == read(None, zones=zones).digest
    other = identity(read(None, zones=zones, scan__timeout=3, trust__ca_files=["ca.pem"]).settings)
    assert differences(first, other) == ["scan.timeout", "trust.ca_files"]
    monkeypatch.chdir(tmp_path)
    assert differences(first, identity(read(None, zones=zones).settings)) == ["zones"]


CT = f"""
[ct]
known = ["keys"]
issuers = ["ca.pem", "SHA256:{':'.join(['AB'] * 32)}"]
[[ct.search]]
kind = "certspotter"
place = "state"
[[ct.search]]
kind = "crtsh"
place = "https://crt.sh"
"""


def test_paths_of_ct(tmp_path: Path) -> None:
    """Files and folders are relative to the configuration; digests and URLs are no paths."""
    config = tmp_path / "c.toml"
    config.write_text(CT)
    ct = read(config).settings.ct
    assert ct.known == (tmp_path / "keys",)
    assert ct.issuers == (f"{tmp_path}/ca.pem", f"sha256:{'ab' * 32}")
    assert [one.place for one in ct.search] == [f"{tmp_path}/state", "https://crt.sh"]


@pytest.mark.parametrize(("line", "said"), [
    ('search = [{kind = "crtsh", pace = 3}]', "ct.search.0.pace: unknown key; did you mean 'place'?"),
    ('search = [{kind = "sslmate", token = "hunter2"}]', "ct.search.0.token: "),
    ('issuers = ["sha256:abc"]', "ct.issuers.0: 'sha256:abc' is no digest of a key"),
    ('budget = "soon"', "ct.budget: 'soon' is no duration"),
])
def test_bad_keys_of_ct(tmp_path: Path, line: str, said: str) -> None:
    """File, line and key; what may be a secret is not repeated."""
    config = tmp_path / "c.toml"
    config.write_text(f"[ct]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        read(config)
    assert str(caught.value).startswith(f"{config}:2: {said}")
    assert "hunter2" not in str(caught.value)


def test_what_of_ct_makes_a_run_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is judged and asked does; what that may cost, and the names of secrets, do not."""
    search = [{"kind": "certspotter", "place": "state"}, {"kind": "sslmate", "token": "env:A"}]
    first = identity(read(None, ct__search=search).settings)
    cheap = [search[0], {"kind": "sslmate", "token": "env:B", "per_minute": 3}]
    same = {"ct__search": cheap, "ct__budget": 5, "ct__log_budget": 5, "ct__cache": "x"}
    assert identity(read(None, **same).settings) == first
    other = {"ct__search": search[:1], "ct__inclusion": True, "ct__known": ["k"], "ct__audit": False}
    assert differences(first, identity(read(None, **other).settings)) == ["ct.audit", "ct.inclusion", "ct.known", "ct.search"]
    monkeypatch.chdir(tmp_path)
    assert differences(first, identity(read(None, ct__search=search).settings)) == ["ct.search"]
