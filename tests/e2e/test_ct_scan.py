"""What CT has against what is served: a roll-out that failed, certificates nobody ordered, and silence about all that is well."""

from datetime import datetime

import pytest
from servers.ct_issue import Issued, serial_twin
from servers.ct_world import ADDRESSES, Scanned, World
from servers.side_by_side import Scenes

from dnscertscan.demo.authority import pem

scene = Scenes()
WWW = tuple(("A", "www", address) for address in ADDRESSES)
ALL = ("crtsh", "sslmate")


def day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def is_told(found: dict[str, object], issued: Issued) -> bool:
    """Whether a finding names this certificate, by one of the ways to find it elsewhere."""
    serial = f"{issued.certificate.serial_number:X}"
    return serial in str(found).upper() or issued.tbs_sha256 in str(found)


@pytest.mark.parametrize("source", ["crtsh", "sslmate", "certspotter"])
def test_one_of_three_addresses_serves_the_old_one(world: World, source: str) -> None:
    """Renewed five days ago, rolled out to two of three addresses: the third is named, with both certificates and dates."""
    old = world.issue("www.example.com", days_ago=40)
    new = world.renew(old, days_ago=5)
    world.zone(*WWW)
    with world.serving((new, ADDRESSES[:2]), (old, ADDRESSES[2:])):
        if source == "certspotter":
            with world.watched() as state:
                found = world.scan(search=[{"kind": source, "place": str(state)}])
        else:
            found = world.scan(search=[source])
    (one,) = found.of("DCS620")
    assert (one["severity"], one["fqdn"], one["ip_address"]) == ("warning", "www.example.com", ADDRESSES[2])
    assert one["certificate"]["serial"].upper().lstrip("0") == f"{old.certificate.serial_number:X}"
    assert is_told(one, new), one
    dates = (old.certificate.not_valid_after_utc, new.certificate.not_valid_before_utc)
    assert all(day(date) in one["message"] for date in dates), one["message"]
    assert found.loud == [f"DCS620 www.example.com {one['message']}"]
    assert found.done.status == 0  # a warning


@scene
def test_a_renewal_is_nothing(world: World) -> None:
    """Precertificate and certificate in two logs, the old one in CT as well and valid still, all sources asked: silence.

    So it is for a certificate of an hour ago that is served nowhere yet, and for one that took a name more when it was renewed.
    """
    old = world.issue("www.example.com", days_ago=62)
    new = world.renew(old, days_ago=4)
    mail = world.issue("mail.example.com", "imap.example.com", days_ago=30)
    world.renew(mail, days_ago=1 / 24)
    apex_before = world.issue("example.com", days_ago=65)
    apex = world.issue("example.com", "*.example.com", days_ago=3)
    world.zone(*WWW, ("A", "mail", ADDRESSES[0]), ("A", "imap", ADDRESSES[0]), ("A", "@", ADDRESSES[1]))
    with world.watched() as state, world.serving(
        (new, ADDRESSES), (mail, ADDRESSES[:1]), (apex, ADDRESSES[1:2]),
    ):
        sources = [*ALL, {"kind": "certspotter", "place": str(state)}]
        found = world.scan(search=sources, issuers=world.pinned)
        assert world.crtsh.asked["list"]
        assert world.sslmate.asked["v1/issuances"]
    assert apex_before.certificate.not_valid_after_utc > world.now
    assert found.loud == []
    assert found.done.status == 0


def rogue_scan(world: World, **ct: object) -> tuple[Issued, Scanned]:
    """Another CA made a certificate for our name ten days ago; nobody serves it."""
    good = world.issue("www.example.com")
    rogue = world.issue("www.example.com", ca=world.other, days_ago=10)
    world.zone(*WWW)
    with world.serving((good, ADDRESSES)):
        return rogue, world.scan(search=ALL, **ct)


@scene
def test_rogue_issuance(world: World) -> None:
    """With the company's CA pinned it is an error with the CA at fault, and nothing else on the side of the good one."""
    rogue, found = rogue_scan(world, issuers=world.pinned)
    (one,) = found.of("DCS623")
    assert (one["severity"], found.done.status) == ("error", 1)
    assert "Other Issuer" in str(one)
    assert is_told(one, rogue), one
    assert {line.partition(" ")[0] for line in found.loud} <= {"DCS621", "DCS622", "DCS623"}
    assert all(is_told(finding, rogue) for finding in found.ct if finding["severity"] != "info")


@scene
def test_rogue_issuance_when_nobody_is_pinned(world: World) -> None:
    """Its key is nowhere in our hands: said as such; which CA may issue nobody told."""
    rogue, found = rogue_scan(world)
    assert found.of("DCS623") == []
    (one,) = found.of("DCS622")
    assert is_told(one, rogue), one
    assert found.done.status == 0


@scene
def test_known_beforehand(world: World) -> None:
    """The same certificate with its key among the known ones: it is ours, kept for later."""
    good, spare = world.issue("www.example.com"), world.issue("www.example.com", days_ago=10)
    (world.folder / "keys").mkdir()
    (world.folder / "keys" / "spare.pem").write_bytes(pem([spare.certificate]))
    world.zone(*WWW)
    with world.serving((good, ADDRESSES)):
        assert world.scan("--ct-known", "keys", search=ALL).of("DCS622") == []


@scene
def test_caa_denies(world: World) -> None:
    """The zone lets no CA issue for one name, and for no wildcard: both issuances are errors, the others are fine."""
    good = world.issue("www.example.com")
    vault = world.issue("vault.example.com", ca=world.other, days_ago=10)
    wild = world.issue("*.shop.example.com", ca=world.other, days_ago=10)
    shop = world.issue("shop.example.com", days_ago=10)
    world.zone(
        *WWW, ("A", "vault", ADDRESSES[0]), ("CAA", "vault", '0 issue ";"'), ("A", "shop", ADDRESSES[0]),
        ("A", "*.shop", ADDRESSES[0]), ("CAA", "shop", '0 issuewild ";"'),
    )
    with world.serving((good, ADDRESSES), (shop, ADDRESSES[:1])):
        found = world.scan(search=ALL)
    told = found.of("DCS624")
    assert len(told) == 2, found.ct
    assert [sum(is_told(one, issued) for one in told) for issued in (vault, wild, good, shop)] == [1, 1, 0, 0]
    assert {one["severity"] for one in told} == {"error"}


@scene
def test_what_else_ct_shows(world: World) -> None:
    """A forgotten name, a serial number given twice, a certificate that lives too long: each once, with its certificate."""
    good = world.issue("www.example.com", days_ago=30)
    forgotten = world.issue("old.example.com", days_ago=30)
    with world.ago(25):
        twin = serial_twin(good, logs=world.logs)
    long = world.issue("long.example.com", days_ago=20, days=201)
    world.zone(*WWW, ("A", "long", ADDRESSES[0]))
    with world.serving((good, ADDRESSES)):
        found = world.scan(search=ALL)
    (orphan,), (conflict,), (over,) = found.of("DCS626"), found.of("DCS625"), found.of("DCS630")
    assert is_told(orphan, forgotten)
    assert "old.example.com" in str(orphan)
    assert is_told(conflict, good) or is_told(conflict, twin)
    assert is_told(over, long)
    assert not any(is_told(finding, good) for finding in found.of("DCS626") + found.of("DCS630"))
