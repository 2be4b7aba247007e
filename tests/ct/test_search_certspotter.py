"""A certspotter's state directory: certificates and precertificates of both layouts; what is missing there proves nothing."""

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from ct.searching import CA, DOMAIN, OTHER, certificate, identity, pem_of, run

from dnscertscan.ct.sources.certspotter import CertSpotter
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Verdict

ISSUER = CA.certificate.public_bytes(Encoding.DER)


def keep(state: Path, name: str, *chain: bytes, **said: object) -> None:
    """As certspotter writes it: the chain as PEM, what it read as JSON."""
    folder = state / "certs" / name[:2]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pem").write_bytes(b"".join(pem_of(der) for der in chain))
    (folder / f"{name}.v1.json").write_text(json.dumps({"tbs_sha256": identity(chain[0]), **said}))
    (folder / f".{name}.notified").touch()


def follow(state: Path, *moments: str) -> None:
    for number, moment in enumerate(moments):
        (state / "logs" / f"log{number}").mkdir(parents=True)
        (state / "logs" / f"log{number}" / "state.json").write_text(json.dumps({"last_success": moment}))


def search(state: Path, domain: DnsName = DOMAIN) -> SearchResult:
    return run(lambda means: CertSpotter(means, str(state)).search(domain))[0]


def test_what_it_found(tmp_path: Path) -> None:
    """By the TBS hash and by the fingerprint of the certificate, precertificates too, with the key of the issuer."""
    final, precert = certificate("www.watched.com"), certificate("mail.watched.com", precert=True)
    keep(tmp_path, identity(final), final, ISSUER, dns_names=["www.watched.com"])
    keep(tmp_path, hashlib.sha256(precert).hexdigest(), precert, OTHER.certificate.public_bytes(Encoding.DER))
    keep(tmp_path, "ab" * 32, certificate("www.other.com"))
    follow(tmp_path, "2026-05-31T00:00:00Z", "2026-06-01T10:00:00.123456789Z", "0001-01-01T00:00:00Z")
    result = search(tmp_path)
    assert (result.verdict, result.complete, result.problems) == (Verdict.FOUND, False, ())
    assert result.as_of == datetime(2026, 5, 31, tzinfo=UTC)  # the log that is behind most; the others are not asked any more
    found = {one.tbs_sha256: one for one in result.issuances}
    assert set(found) == {identity(final), identity(precert)}
    spki = CA.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert found[identity(final)].issuer_spki_sha256 == hashlib.sha256(spki).hexdigest()
    assert found[identity(precert)].precert
    assert found[identity(precert)].issuer_spki_sha256 is None  # the second certificate did not sign the first


def test_nothing_there_is_not_the_whole_truth(tmp_path: Path) -> None:
    """It sees what is on its watch list since it runs: absent, never complete."""
    follow(tmp_path, "2026-05-31T00:00:00Z")
    assert (search(tmp_path).verdict, search(tmp_path).complete) == (Verdict.ABSENT, False)


def test_up_to_when_it_knows(tmp_path: Path) -> None:
    """One log that it does not get on with holds everything up; one that it does not follow any more holds up nothing."""
    follow(tmp_path, "2026-05-29T00:00:00Z", "2026-06-01T10:00:00.123456789Z", "2025-01-01T00:00:00Z", "x")
    assert search(tmp_path).as_of == datetime(2026, 5, 29, tzinfo=UTC)
    (tmp_path / "logs" / "log0" / "state.json").unlink()
    assert search(tmp_path).as_of == datetime(2026, 6, 1, 10, 0, 0, 123456, tzinfo=UTC)


def test_no_state_directory(tmp_path: Path) -> None:
    """Not there, empty, a file: no answer, with the path and a hint."""
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "nowhere", tmp_path, tmp_path / "file"):
        result = search(place)
        assert result.verdict is Verdict.UNAVAILABLE
        assert result.reason == f"{place}: neither certs nor logs in it; is this certspotter's state directory?"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Each is named; what certspotter itself could read of it still counts; the others are there."""
    final = certificate("www.watched.com")
    keep(tmp_path, "cd" * 32, final)
    keep(tmp_path, "ef" * 32, certificate("odd.watched.com"), dns_names=["odd.watched.com", 5, "x" * 5000])
    (tmp_path / "certs" / "ef" / f"{'ef' * 32}.pem").write_bytes(b"\x00garbage")
    keep(tmp_path, "aa" * 32, certificate("z.watched.com"))
    for suffix, content in ((".pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n"), (".v1.json", b"[" * 100_000)):
        (tmp_path / "certs" / "aa" / f"{'aa' * 32}{suffix}").write_bytes(content)
    (tmp_path / "certs" / "bb").mkdir()
    (tmp_path / "certs" / "bb" / "x.pem").symlink_to("nowhere")
    (tmp_path / "certs" / "README").write_text("x")
    result = search(tmp_path)
    assert {one.tbs_sha256 for one in result.issuances} > {identity(final)}
    assert len(result.issuances) == 2
    assert {one.names for one in result.issuances} == {("www.watched.com",), ("odd.watched.com",)}
    assert len(result.problems) == 5
    assert any("No such file" in line for line in result.problems)


@pytest.mark.parametrize("moment", [2**62 - 1, -(2**40)])
def test_the_time_of_a_file_is_beyond_all_calendars(tmp_path: Path, moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate counts, without the day it was seen, and that is told."""
    final = certificate("www.watched.com")
    keep(tmp_path, identity(final), final)
    real = Path.stat

    def odd(path: Path, **how: bool) -> os.stat_result:
        found = real(path, **how)
        # Not every file system takes such a time, and some have it.
        return os.stat_result((*found[:8], moment, found[9])) if path.suffix == ".pem" else found

    monkeypatch.setattr(Path, "stat", odd)
    result = search(tmp_path)
    assert [(one.tbs_sha256, one.first_seen) for one in result.issuances] == [(identity(final), None)]
    assert result.problems == (f"{identity(final)}.pem: the time of the file is beyond all calendars",)


def test_names_that_only_certspotter_read(tmp_path: Path) -> None:
    """It reads common names and names cut at NUL as well: they count beside those of the certificate."""
    der = certificate("www.other.com")
    keep(tmp_path, identity(der), der, dns_names=["cn.watched.com"])
    (one,) = search(tmp_path).issuances
    assert one.names == ("www.other.com", "cn.watched.com")
