"""Names that are not in what is known of a zone, where that is not all of it, or where a DNAME answers for them."""

from dataclasses import replace

import pytest
from servers.ct_sighting import ZONE, codes, found, made, published

from dnscertscan.checks.ct_places import Places
from dnscertscan.model.findings import Severity
from dnscertscan.model.names import DnsName

HOSTS = replace(published("www.example.com", "*.w.example.com", cuts=["sub.example.com"]), partial=frozenset({ZONE}))
MOVED = replace(published("old.example.com", "www.example.com"), renamed=frozenset({DnsName("old.example.com")}))


@pytest.mark.parametrize(
    ("names", "name", "standing"),
    [
        (HOSTS, "child.example.com", "untold"), (HOSTS, "*.child.example.com", "untold"), (HOSTS, "www.example.com", "published"),
        (HOSTS, "a.w.example.com", "wildcard"), (HOSTS, "a.sub.example.com", "delegated"), (HOSTS, "example.org", "abroad"),
        (MOVED, "a.old.example.com", "published"), (MOVED, "a.b.old.example.com", "published"),
        (MOVED, "*.old.example.com", "published"), (MOVED, "old.example.com", "published"),
        (MOVED, "xold.example.com", "orphan"), (MOVED, "a.www.example.com", "orphan"),
    ],
)
def test_where_a_name_stands_in_part_of_a_zone(names: object, name: str, standing: str) -> None:
    """What is missing is missing only in a whole zone; all names below a DNAME are there, its owner and others aside."""
    assert Places(names).standing(name) == standing  # type: ignore[arg-type]  # parametrised


def test_a_dname_of_the_zone_itself() -> None:
    """All below the apex; a zone of the run farther down has the say for itself."""
    zones = frozenset(map(DnsName, ["example.com", "lab.example.com"]))
    places = Places(replace(MOVED, zones=zones, renamed=frozenset({ZONE})))
    assert [places.standing(name) for name in ("a.example.com", "a.lab.example.com")] == ["published", "orphan"]


def test_no_orphans_in_part_of_a_zone_nor_below_a_dname() -> None:
    """Names of a delegated child, or with records of other types, are not in an export of hosts: worth a note, no more."""
    child, moved = made("a.child.example.com", ago=5), made("a.old.example.com", ago=5)
    (note,) = found(ct=[child], names=HOSTS, known={child.key: "x"})
    assert (note.rule.slug, note.severity) == ("ct-orphan-name", Severity.INFO)
    assert "among the records given of the zone, which are not the whole zone: a.child.example.com" in note.message
    assert "ct-orphan-name" not in codes(found(ct=[moved], names=MOVED, known={moved.key: "x"}))
    assert "ct-orphan-name" in codes(found(ct=[moved], names=published("www.example.com"), known={moved.key: "x"}))
