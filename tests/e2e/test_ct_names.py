"""Hosts that only CT knows, under a wildcard of a zone: named, and scanned when that is wanted."""

from servers.ct_world import ADDRESSES, World
from servers.fake_search import FAILURES
from servers.side_by_side import Scenes

scene = Scenes()
ZONE = (("A", "www", ADDRESSES[0]), ("A", "*.apps", ADDRESSES[1]))


def names(report: dict[str, object]) -> set[str]:
    return {target["fqdn"] for target in report["targets"]}  # type: ignore[attr-defined] - a JSON object


@scene
def test_names_that_only_ct_knows(world: World) -> None:
    """shop.apps is in no zone: advice without --ct-names; with it, it is a target with all that is wrong with it.

    A name of another domain in the same certificate is nobody's business here.
    """
    www, shop = world.issue("www.example.com"), world.issue("shop.apps.example.com", "elsewhere.example.net", days_ago=85)
    world.zone(*ZONE)
    with world.serving((www, ADDRESSES), (shop, ADDRESSES[1:2])):
        without = world.scan(search=["crtsh"])
        (one,) = without.of("DCS627")
        assert (one["severity"], "shop.apps.example.com" in str(one)) == ("info", True)
        assert "shop.apps.example.com" not in names(without.report)
        found = world.scan("--ct-names", search=["crtsh"])
    assert "shop.apps.example.com" in names(found.report)
    assert not any("example.net" in name for name in names(found.report))
    (target,) = [target for target in found.report["targets"] if target["fqdn"] == "shop.apps.example.com"]
    assert (target["ip_address"], target["state"]) == (ADDRESSES[1], "scanned")
    about = {finding["code"] for finding in found.report["findings"] if finding["fqdn"] == "shop.apps.example.com"}
    assert "DCS103" in about  # five days are left
    assert "DCS110" not in about
    assert found.of("DCS626") == []


@scene
def test_names_wait_for_no_more_than_the_budget(world: World) -> None:
    """The source hangs: the zone's own names are scanned all the same, and the source is told of."""
    www = world.issue("www.example.com")
    world.zone(*ZONE)
    world.crtsh.faults[""] = FAILURES["hang"]
    with world.serving((www, ADDRESSES)):
        found = world.scan("--ct-names", search=["crtsh"], budget="1s")
    assert "www.example.com" in names(found.report)
    assert len(found.of("DCS629")) == 1
    assert found.seconds < 25
