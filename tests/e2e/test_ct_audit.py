"""`ct audit` as a monitoring plug-in and by hand: what other checks promise for one host, each case with its status."""

import json
from datetime import timedelta

from servers import hostile
from servers.command import Done, closed_port
from servers.ct_issue import Issued
from servers.ct_log_der import der
from servers.ct_world import ADDRESSES, World
from servers.fake_search import FAILURES, NOTHING
from servers.side_by_side import Scenes

from dnscertscan.demo.authority import pem

scene = Scenes()
HOST = "www.example.com"
OK, WARNING, CRITICAL, UNKNOWN = range(4)


def first_line(done: Done) -> str:
    """What Nagios shows; anything on standard error is in a failure's output."""
    assert done.out, done.err
    return done.out.splitlines()[0]


def audit(world: World, issued: Issued, *args: object, search: tuple[str, ...] = ()) -> Done:
    """Of the host, which has this certificate on two addresses."""
    world.configure(search)
    with world.serving((issued, ADDRESSES[:2])) as port:
        addresses = [item for address in ADDRESSES[:2] for item in ("--address", address)]
        return world.run("ct", "audit", f"{HOST}:{port}", *addresses, "--config", "c.toml", *args)


@scene
def test_all_is_well(world: World) -> None:
    """Logged, by the expected CA, found by both services, proven by both logs: one line begins with CT OK."""
    issued = world.issue(HOST)
    done = audit(
        world, issued, "--issuer", world.pinned[0], "--search", "crtsh", "--search", "sslmate", "--inclusion",
        search=("crtsh", "sslmate"),
    )
    assert (done.status, first_line(done).partition(" - ")[0]) == (OK, "CT OK"), done.out
    assert HOST in first_line(done)
    assert issued.tbs_sha256 in done.out
    assert world.alpha.asked["ct/v1/get-proof-by-hash"]


@scene
def test_unexpected_ca(world: World) -> None:
    """Another CA than the expected one is critical, whatever its SCTs say; with its key expected, it is fine."""
    issued = world.issue(HOST, ca=world.other)
    done = audit(world, issued, "--issuer", world.pinned_key)
    assert done.status == CRITICAL
    assert "CT CRITICAL" in first_line(done)
    assert "unexpected CA" in first_line(done)
    assert "Other Issuer" in done.out
    (world.folder / "other.pem").write_bytes(pem([world.other.certificate]))
    assert audit(world, issued, "--issuer", "other.pem").status == OK


@scene
def test_no_sct(world: World) -> None:
    """Neither in the certificate nor in the handshake."""
    done = audit(world, world.issue(HOST, logs=()))
    assert (done.status, "no SCT" in first_line(done)) == (CRITICAL, True), done.out


@scene
def test_certificate_is_not_in_ct(world: World) -> None:
    """Its SCTs are good, but nobody has it: critical by a service that vouches for having everything."""
    world.issue("other.example.com")
    for log in world.logs:
        log.switches.drop = True
    done = audit(world, world.issue(HOST), "--search", "sslmate", search=("sslmate",))
    assert (done.status, "found nowhere" in first_line(done)) == (CRITICAL, True), done.out


@scene
def test_service_that_fails_decides_nothing(world: World) -> None:
    """A warning: logged by its SCTs, and whether the service has it is not known."""
    world.sslmate.faults[""] = FAILURES["502"]
    done = audit(world, world.issue(HOST), "--search", "sslmate", "--timeout", "3", search=("sslmate",))
    assert (done.status, "sslmate" in first_line(done)) == (WARNING, True), done.out
    assert "found nowhere" not in done.out
    assert "not logged" not in done.out


@scene
def test_empty_list_of_a_service_that_does_not_vouch(world: World) -> None:
    """crt.sh says that there is nothing, as it does under load: nobody is accused."""
    world.crtsh.faults["list"] = NOTHING
    done = audit(world, world.issue(HOST), "--search", "crtsh", search=("crtsh",))
    assert done.status in (OK, WARNING), done.out
    assert "found nowhere" not in done.out


@scene
def test_only_the_precertificate_is_in_the_logs(world: World) -> None:
    """It is the same issuance; so it is on the second page of the service."""
    world.sslmate.page_size = 1
    for number in range(3):
        world.issue(f"n{number}.example.com", days_ago=30, submit_final=False)
    done = audit(world, world.issue(HOST, submit_final=False), "--search", "sslmate", search=("sslmate",))
    assert done.status == OK, done.out
    assert world.sslmate.asked["v1/issuances"] > 3


@scene
def test_nobody_there(world: World) -> None:
    """No certificate, no verdict: UNKNOWN, with the reason."""
    world.configure()
    done = world.run("ct", "audit", f"{HOST}:{closed_port()}", "--address", "127.0.0.1", "--config", "c.toml")
    assert (done.status, "CT UNKNOWN" in first_line(done)) == (UNKNOWN, True), done.out


@scene
def test_starttls(world: World) -> None:
    """A mail server that answers EHLO before it begins TLS."""
    issued = world.issue("mail.example.com")
    world.configure()
    secure = hostile.tls([der(one) for one in issued.chain], issued.credential.key_pem)
    turns = (b"220 mail\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go ahead\r\n")
    with hostile.serve(hostile.smtp_dialogue(*turns, then=secure)) as port:
        done = world.run(
            "ct", "audit", f"mail.example.com:{port}", "--starttls", "smtp", "--address", "127.0.0.1", "--config", "c.toml"
        )
    assert done.status == OK, done.out + done.err


def forged(scts: list[bytes]) -> list[bytes]:
    return [scts[0][:-1] + bytes([scts[0][-1] ^ 1]), *scts[1:]]


def cut_off(scts: list[bytes]) -> list[bytes]:
    return [scts[0][:60], *scts[1:]]


@scene
def test_files(world: World) -> None:
    """Offline: each SCT has its verdict, and one that is bad costs only itself; no log and no service is asked."""
    cases = (
        (None, OK, ["valid", "valid"]), (forged, CRITICAL, ["invalid", "valid"]), (cut_off, CRITICAL, ["invalid", "valid"]),
    )
    issued = [world.issue(HOST, submit_final=False, **({"spoil": spoil} if spoil else {})) for spoil, *_ in cases]
    for number, one in enumerate(issued):
        (world.folder / f"{number}.pem").write_bytes(one.credential.chain_pem)
    world.configure(("crtsh", "sslmate"))
    command = ("ct", "audit", "--config", "c.toml", "-f", "json", "--chain")
    done = world.run_all(*((*command, f"{number}.pem") for number in range(len(cases))))
    for (_, status, verdicts), one, result in zip(cases, issued, done, strict=True):
        found = json.loads(result.out)
        assert (result.status, [sct["verdict"] for sct in found["scts"]]) == (status, verdicts), result.out
        assert (found["logged"], found["tbs_sha256"]) == ("logged", one.tbs_sha256)
        assert all(sct["reason"] for sct in found["scts"] if sct["verdict"] == "invalid")
        good = found["scts"][1]
        assert (good["log"], good["operator"], bool(good["time"])) == ("log beta", "Operator B", True)
    assert not (world.alpha.asked or world.beta.asked or world.crtsh.asked or world.sslmate.asked)


@scene
def test_file_without_the_issuer(world: World) -> None:
    """The issuer's key is part of what was signed: without it nothing is decided, and the way out is said."""
    issued = world.issue(HOST)
    (world.folder / "leaf.pem").write_bytes(pem([issued.certificate]))

    world.configure()
    command = ("ct", "audit", "--chain", "leaf.pem", "--config", "c.toml")
    done, whole = world.run_all(command, (*command, "--issuer-file", "issuer.pem"))
    assert (done.status, "issuer missing" in first_line(done)) == (UNKNOWN, True), done.out
    assert whole.status == OK, whole.out


@scene
def test_file_of_last_month(world: World) -> None:
    """Judged as of a day before its SCTs were made it cannot be what it says; on the day after it is fine."""
    issued = world.issue(HOST, days_ago=20)
    (world.folder / "fullchain.pem").write_bytes(issued.credential.chain_pem)
    world.configure()
    command = ("ct", "audit", "--chain", "fullchain.pem", "--config", "c.toml", "--at")
    after, before = world.run_all(*((*command, (world.now - timedelta(days=days)).isoformat()) for days in (19, 30)))
    assert after.status == OK, after.out
    assert before.status in (UNKNOWN, CRITICAL), before.out
