"""What is known locally: the folders of ACME clients, and everything else that lies about in folders."""

import os
import socket
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)

from dnscertscan.ct.known import read_known, read_local
from dnscertscan.ct.known_files import MAX_FILE, Limits
from dnscertscan.demo.authority import Authority, Credential, pem
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.tbs import tbs_sha256

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CA = Authority.root("Known Root", now=NOW).intermediate("Known Issuer")
SITE = CA.leaf("www.watched.com", "watched.com")
SECRET = b"open sesame"


def key_digest(key: object) -> str:
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined] - any private key
    return sha256(spki).hexdigest()


def identity(credential: Credential) -> str:
    return tbs_sha256(Certificate(credential.certificate.public_bytes(Encoding.DER)))


def certbot(folder: Path, credential: Credential, number: int = 1) -> None:
    """As certbot keeps a certificate: archive/NAME/*N.pem, live/NAME with links to the newest."""
    name = "www.watched.com"
    archive, live = folder / "archive" / name, folder / "live" / name
    archive.mkdir(parents=True, exist_ok=True)
    live.mkdir(parents=True, exist_ok=True)
    parts = {
        "cert": pem([credential.certificate]), "chain": pem(credential.intermediates), "fullchain": credential.chain_pem,
        "privkey": credential.key_pem,
    }
    for kind, octets in parts.items():
        (archive / f"{kind}{number}.pem").write_bytes(octets)
        (live / f"{kind}.pem").unlink(missing_ok=True)
        (live / f"{kind}.pem").symlink_to(f"../../archive/{name}/{kind}{number}.pem")
    (folder / "live" / "README").write_text("This directory contains your keys and certificates.")
    (folder / "renewal").mkdir(exist_ok=True)
    (folder / "renewal" / f"{name}.conf").write_text("archive_dir = /etc/letsencrypt\n")
    (folder / "accounts").mkdir(exist_ok=True)
    (folder / "accounts" / "regr.json").write_text('{"body": {}, "uri": "https://ca.test/acme/1"}')


def test_a_folder_of_certbot(tmp_path: Path) -> None:
    """All generations, each file once though links lead to it, and not a word about what else lies there."""
    newer = CA.leaf("www.watched.com", "new.watched.com")
    certbot(tmp_path, SITE, 1)
    certbot(tmp_path, newer, 2)
    lines: list[str] = []
    local = read_local([tmp_path], lines.append)
    assert lines == []
    assert set(local.known.issuances) == {identity(SITE), identity(newer)}
    assert set(local.known.keys) == {key_digest(SITE.key), key_digest(newer.key)}
    assert local.known.issuances[identity(SITE)] == f"{tmp_path}/archive/www.watched.com/cert1.pem"
    assert set(local.names) == {"www.watched.com", "watched.com", "new.watched.com"}
    assert [one.der for one in local.issuers] == [CA.certificate.public_bytes(Encoding.DER)]
    assert (local.lost, local.cut) == ((), "")
    assert read_known([tmp_path], lines.append) == local.known


def test_things_that_are_no_files(tmp_path: Path) -> None:
    """FIFO, socket, device, dangling link, links in circles, an endless file: a line each, and what is good is still read."""
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a" / "fifo.pem")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "a" / "socket.pem"))
    (tmp_path / "a" / "zero.pem").symlink_to("/dev/zero")
    (tmp_path / "a" / "gone.pem").symlink_to("nowhere")
    (tmp_path / "a" / "one.pem").symlink_to("two.pem")
    (tmp_path / "a" / "two.pem").symlink_to("one.pem")
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "a" / "again").symlink_to("../z")
    with (tmp_path / "a" / "huge.pem").open("wb") as huge:
        huge.truncate(1 << 40)
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "good.pem").write_bytes(SITE.chain_pem)
    lines: list[str] = []
    started = time.monotonic()
    local = read_local([tmp_path], lines.append)
    assert time.monotonic() - started < 5
    assert set(local.known.issuances) == {identity(SITE)}
    told = {Path(line.partition(": ")[0]).name: line.partition(": ")[2] for line in lines}
    assert "is a FIFO" in told["fifo.pem"]
    assert "is a socket" in told["socket.pem"]
    assert "is a device" in told["zero.pem"]
    assert "No such file" in told["gone.pem"]
    assert "symbolic links" in told["one.pem"]
    assert "leads back" in told["up"]
    assert f"more than {MAX_FILE} octets" in told["huge.pem"]
    assert set(told) == {"fifo.pem", "socket.pem", "zero.pem", "gone.pem", "one.pem", "two.pem", "up", "huge.pem"}
    assert local.lost == ()


def test_paths_that_were_named(tmp_path: Path) -> None:
    """What the user himself named and cannot be used is lost, and said; a file of no use is, too."""
    (tmp_path / "notes.txt").write_text("buy milk")
    (tmp_path / "good.pem").write_bytes(SITE.chain_pem)
    lines: list[str] = []
    local = read_local([tmp_path / "none", tmp_path / "notes.txt", tmp_path / "good.pem", Path("nul\0")], lines.append)
    assert set(local.known.issuances) == {identity(SITE)}
    assert local.lost == local.missing
    assert {line.partition(": ")[2].partition(";")[0] for line in local.lost} == {
        "cannot be read: No such file or directory", "no certificate, key or CSR in it",
        "cannot be read: its name is no name of a file",
    }
    assert sorted(lines) == sorted(local.lost)


def test_names_of_files_are_made_safe(tmp_path: Path) -> None:
    """Escape sequences and octets that are no UTF-8 in the name of a file."""
    (tmp_path / "\x1b[31mred.pem").write_bytes(SITE.chain_pem)
    Path(os.fsdecode(bytes(tmp_path) + b"/\xff.pem")).write_bytes(b"x")
    lines: list[str] = []
    known = read_known([tmp_path], lines.append)
    assert list(known.issuances.values()) == [f"{tmp_path}/\\x1b[31mred.pem"]
    assert lines == [f"{tmp_path}/\\udcff.pem: no certificate, key or CSR in it"]


@pytest.mark.parametrize(("limits", "words"), [
    (Limits(entries=50), "more than 50 files and folders"), (Limits(octets=0), "more than 0 MiB of files"),
    (Limits(seconds=0.0), "took more than 0 s"),
])
def test_limits_end_the_reading(tmp_path: Path, limits: Limits, words: str) -> None:
    """Time, memory and number are bounded; it is said what was not looked at."""
    for number in range(100):
        (tmp_path / f"{number:03}.pem").write_bytes(SITE.chain_pem)
    lines: list[str] = []
    local = read_local([tmp_path], lines.append, limits)
    assert words in local.cut
    assert local.missing == (local.cut,)
    assert len(lines) == 1
    assert "name fewer or smaller folders" in lines[0]


def test_folders_within_each_other(tmp_path: Path) -> None:
    """A nest of folders ends somewhere; the folders beside it are read."""
    deep = tmp_path / "a"
    for _ in range(60):
        deep /= "d"
    deep.mkdir(parents=True)
    (tmp_path / "z.pem").write_bytes(SITE.chain_pem)
    lines: list[str] = []
    assert read_known([tmp_path], lines.append).issuances
    assert len(lines) == 1
    assert "more than 40 folders within each other" in lines[0]


def test_many_lines_are_counted(tmp_path: Path) -> None:
    """A folder of rubbish fills no screen."""
    for number in range(300):
        (tmp_path / f"{number}.pem").write_bytes(b"rubbish")
    lines: list[str] = []
    read_known([tmp_path], lines.append)
    assert len(lines) == 101
    assert lines[-1] == "and 200 more lines like that about local files"


def test_hostile_octets_take_no_time(tmp_path: Path) -> None:
    """Markers without end, blocks without number, a long private key: read in one pass."""
    for name, octets in {
        "begins.pem": b"-----BEGIN CERTIFICATE-----\n" * 140_000, "ends.pem": b"-----END CERTIFICATE-----\n" * 150_000,
        "blocks.pem": b"-----BEGIN X-----\n-----END X-----\n" * 110_000,
        "key.pem": b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 3_000_000 + b"\n-----END PRIVATE KEY-----\n",
        "der.der": b"\x30\x83\x3f\xff\xf0" + b"\x30\x80" * 2_000_000,
    }.items():
        (tmp_path / name).write_bytes(octets[:MAX_FILE])
    lines: list[str] = []
    started = time.monotonic()
    assert read_known([tmp_path], lines.append).keys == {}
    assert time.monotonic() - started < 10
    assert len(lines) <= 101


def test_what_certspotter_found_is_passed_over(tmp_path: Path) -> None:
    """Its folder, found or named, a part of it, a link into it, or one known to be such: a line each, nothing is known."""
    folder = tmp_path / "state" / "spotter"
    for name in ("certs", "logs"):
        (folder / name).mkdir(parents=True)
    (folder / "version").write_text("2")
    place = folder / "certs" / "one.pem"
    place.write_bytes(pem([SITE.certificate]))
    (tmp_path / "link.pem").symlink_to(place)
    (tmp_path / "linked").symlink_to(folder / "certs")
    for path in (folder, place, folder / "certs", tmp_path / "state", tmp_path / "link.pem", tmp_path / "linked", tmp_path):
        lines: list[str] = []
        local = read_local([path], lines.append)
        assert (local.known.issuances, local.certificates, local.lost) == ({}, (), ()), path
        assert all("is of the state folder of a certspotter" in line for line in lines)
        assert lines
    (folder / "version").unlink()
    assert read_local([tmp_path], lambda _: None).certificates
    assert not read_local([tmp_path], lambda _: None, spared=[folder]).certificates
