"""`dnscertscan check` against hosts that do anything but serve a good certificate: a status, a reason, and in time."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers import hostile, nginx
from servers.checking import Check, checker
from servers.command import closed_port
from servers.hostile import Behaviour
from servers.nginx import Host
from servers.scanning import der

from dnscertscan.cli import main
from dnscertscan.demo.authority import Authority, Credential, pem

NOW = datetime.now(UTC)
NAME = "www.watched.test"
ROOT = Authority.root("Host Root", now=NOW)
CA = ROOT.intermediate("Host Issuer")
GOOD = CA.leaf(NAME, "127.0.0.1", "::1")
TRUST = ("--ca-file", "ca.pem")


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    (tmp_path / "ca.pem").write_bytes(pem([ROOT.certificate]))
    return checker(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def good() -> Iterator[int]:
    with nginx.serve([Host(NAME, [GOOD])], ["127.0.0.1", "127.0.0.2"]) as port:
        yield port


def test_a_good_host(check: Check, good: int) -> None:
    """One line, its figures, and the certificate with its addresses."""
    told = check(f"{NAME}:{good}", "--address", "127.0.0.1", "--address", "127.0.0.2", *TRUST)
    assert (told.status, told.err) == (0, "")
    assert told.line.startswith(f"CERT OK - {NAME}:{good}: certificate on 2 addresses ends at ")
    figures = {label: value for label, (value, _, _) in told.perfdata.items()}
    assert figures.pop("time") < 30
    assert 79 < figures.pop("days_left") <= 80
    assert figures == {"addresses": 2, "certificates": 1, "critical": 0, "unreachable": 0, "warning": 0}
    assert [line.split(" (")[0] for line in told.details if "served by" in line] == [
        f"  served by 127.0.0.1:{good}", f"  served by 127.0.0.2:{good}",
    ]


def test_by_address_alone(check: Check, good: int) -> None:
    """The certificate has to be for the address then, an IPv6 one just as well."""
    assert check(f"127.0.0.1:{good}", *TRUST).status == 0
    told = check(f"127.0.0.2:{good}", *TRUST)
    assert (told.status, bool(told.details_with("[DCS111]"))) == (2, True)
    with nginx.serve([Host(NAME, [GOOD])], ["::1"]) as port:
        assert check(f"[::1]:{port}", *TRUST).status == 0
    with nginx.serve([Host(NAME, [CA.leaf(NAME)])], ["::1"]) as port:
        assert check(f"[::1]:{port}", *TRUST).status == 2
        assert check(f"[::1]:{port}", "--sni", NAME, *TRUST).status == 0


def test_the_hosts_own_addresses(check: Check) -> None:
    """Without --address the machine's resolver says where; -4 and -6 choose."""
    leaf = CA.leaf("localhost")
    with nginx.serve([Host("localhost", [leaf])], ["127.0.0.1"]) as port:
        assert check(f"localhost:{port}", "-4", *TRUST).status == 0


def test_nobody_there(check: Check) -> None:
    """Critical, as check_http and check_ssl_cert have it, or what the caller wants."""
    place = f"127.0.0.1:{closed_port()}"
    told = check(place, *TRUST)
    assert (told.status, "refused" in told.line, told.perfdata["unreachable"][0]) == (2, True, 1)
    assert "days_left" not in told.perfdata
    for state, status in (("ok", 0), ("warning", 1), ("critical", 2), ("unknown", 3)):
        told = check(place, "--unreachable", state, *TRUST)
        assert told.status == status
        assert "refused" in told.line + "".join(told.details)


def test_some_addresses_are_dead(check: Check, good: int) -> None:
    """A warning: whoever cannot connect tries the next address. The certificate of the others is judged."""
    two = (f"{NAME}:{good}", "--address", "127.0.0.1", "--address", "127.0.0.9", *TRUST)
    told = check(*two)
    assert (told.status, "127.0.0.9" in told.line, told.perfdata["unreachable"][0]) == (1, True, 1)
    assert check(*two, "--unreachable", "unknown").status == 1
    assert check(*two, "--unreachable", "ok").status == 0
    assert check(*two, "-c", "85:").status == 2


@pytest.mark.parametrize("behaviour", hostile.NO_CERTIFICATE, ids=hostile.name)
def test_hostile_hosts(check: Check, behaviour: Behaviour) -> None:
    """Something listens and it is no TLS: critical whatever --unreachable says, with the reason, in the time that is allowed."""
    begun = time.monotonic()
    with hostile.serve(behaviour) as port:
        told = check(f"{NAME}:{port}", "--address", "127.0.0.1", "--timeout", "4", "--unreachable", "ok", *TRUST)
    assert time.monotonic() - begun < 8
    assert (told.status, f"127.0.0.1:{port}: no certificate: " in told.line) == (2, True)


def test_many_silent_addresses(check: Check) -> None:
    """Within the limit all of them are told."""
    addresses = [option for number in range(1, 41) for option in ("--address", f"127.0.1.{number}")]
    with hostile.serve(hostile.silent, "0.0.0.0") as port:
        begun = time.monotonic()
        told = check(f"{NAME}:{port}", *addresses, "--timeout", "3", *TRUST)
    assert time.monotonic() - begun < 6
    assert told.status == 2
    assert told.perfdata["unreachable"][0] == 40


def test_starttls(check: Check) -> None:
    """Behind the dialogue the certificate is judged; where it was forgotten, the advice is to use it."""
    secure = hostile.tls(der(GOOD), GOOD.key_pem)
    dialogue = hostile.smtp_dialogue(b"220 ready\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go ahead\r\n", then=secure)
    with hostile.serve(dialogue) as port:
        assert check(f"{NAME}:{port}", "--address", "127.0.0.1", "--starttls", "smtp", *TRUST).status == 0
    with hostile.serve(hostile.smtp_banner) as port:
        told = check(f"{NAME}:{port}", "--address", "127.0.0.1", *TRUST)
    assert (told.status, "--starttls" in told.line) == (2, True)


def test_good_at_first(check: Check) -> None:
    """A server that shows its certificate once and then falls silent is judged by it; that there may be more is a note."""
    well = hostile.tls(der(GOOD), GOOD.key_pem)
    with hostile.serve(hostile.first_good(well, hostile.close_on_hello)) as port:
        told = check(f"{NAME}:{port}", "--address", "127.0.0.1", "--timeout", "8", *TRUST)
    assert told.status == 0
    assert told.details_with("may serve more certificates")


def test_an_issuer_that_ends_first(check: Check) -> None:
    """Then that is the end of the certificate, too."""
    brief = ROOT.intermediate("Brief CA", not_after=NOW + timedelta(days=40))
    with nginx.serve([Host(NAME, [brief.leaf(NAME)])]) as port:
        told = check(f"{NAME}:{port}", "--address", "127.0.0.1", *TRUST, "--warning", "50:")
    assert told.status == 1
    assert 39 < told.perfdata["days_left"][0] <= 40
    assert told.details_with("an issuer ends first")


def test_a_hostile_certificate(check: Check) -> None:
    """What stands in a name neither reaches the terminal nor begins performance data; long names are cut."""
    evil = "x\x1b[2J\u202e|days_left=9999;;\n<b>" + "A" * 20
    leaf = CA.leaf(NAME, common_name=evil)
    lone = Credential(leaf.certificate, leaf.key)
    with nginx.serve([Host(NAME, [lone])]) as port:
        told = check(f"{NAME}:{port}", "--address", "127.0.0.1", *TRUST)
    assert told.status == 2
    assert told.perfdata["days_left"][0] < 100
    assert r"\x1b[2J\u202e" in told.line


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ((), "Missing argument"), (("a.example", "b.example"), "unexpected extra argument"), (("--nonsense",), "No such option"),
        (("a b",), "names no server"), (("a.example:0",), "is no port"),
        (("a.example", "-w", "30"), "would alarm when MORE is left"),
        (("a.example", "-w", "7:", "-c", "30:"), "critical before there is a warning"),
        (("a.example", "-c", "x"), "is no range"), (("a.example", "-c", "10:5"), "ends before it starts"),
        (("a.example", "--timeout", "0"), "is no duration"), (("a.example", "--timeout", "1d"), "is the most"),
        (("a.example", "--ca-file", "missing.pem"), "cannot read the CA file"),
        (("a.example", "--unreachable", "x"), "is not one of"),
        (("a.example", "--issuer", "sha256:12"), "64 hex digits"), (("a.example", "--config", "missing.toml"), "cannot read"),
        (("a.example", "--starttls", "x"), "is not one of"), (("a.example", "--address", "x"), "write an IP address"),
    ],
)
def test_a_wrong_call(check: Check, call: tuple[str, ...], text: str) -> None:
    """UNKNOWN with a first line that says what is wrong; nothing is asked."""
    told = check(*call)
    assert told.status == 3
    assert text in told.line
    assert told.perfdata == {}


def test_help_is_no_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """--help is for people: status 0 and no status line."""
    monkeypatch.setattr("sys.argv", ["dnscertscan", "check", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "30:      fewer than 30 days left" in capsys.readouterr().out
