"""Names that CT has: those the zones do not have, and those under a wildcard that only CT knows (DCS626, 627)."""

from collections.abc import Iterator, Mapping, Set

from dnscertscan.checks.catalog import RULES
from dnscertscan.checks.ct_places import Places, Standing
from dnscertscan.checks.ct_rows import Row, listed, moment, name_subject, origin, told
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.text import visible

_WORDS = {
    Standing.ORPHAN: (
        "certificate in CT is for a name that the zone does not have",
        "if the name is gone, have the certificate revoked; if it is forgotten, publish it or shut the service down",
    ),
    Standing.UNTOLD: (
        "certificate in CT is for a name that is not among the records given of the zone, which are not the whole zone",
        "look whether the zone has it, or give the zone with its SOA and NS records, by which that is decided",
    ),
    Standing.DANGLING: (
        "certificate in CT is for a name whose alias leads nowhere, which others may be able to take over",
        "remove the alias now, or take its target back; then have the certificate revoked if nobody here has its key",
    ),
}


def orphans(rows: Mapping[str, Row], places: Places) -> Iterator[Finding]:
    """DCS626: one for each name, with the certificate that lasts longest."""
    rule = RULES["ct-orphan-name"]
    by_name: dict[str, list[Row]] = {}
    for row in rows.values():
        for name in row.own:
            by_name.setdefault(name, []).append(row)
    for name in sorted(by_name):
        standing = places.standing(name)
        words = _WORDS.get(standing)
        if words is None:
            continue
        severity = Severity.INFO if standing is Standing.UNTOLD else rule.severity
        found = sorted(by_name[name], key=lambda row: (moment(row.issuance.not_after), row.issuance.tbs_sha256))
        last = found[-1].sighting
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        message = f"{words[0]}: {visible(name, 260)}: {told(last)}{more}, {origin(last)}; {words[1]}"
        # No certificate: the finding is about the name, and stays the same one when that is renewed.
        yield Finding(rule, severity, name_subject(name, places), message)


def hidden(rows: Mapping[str, Row], places: Places, looked: Set[str]) -> Iterator[Finding]:
    """DCS627: one for each wildcard, with the names under it that CT knows and nobody looked at."""
    rule = RULES["ct-wildcard-name"]
    for wildcard, names in _under(rows, places).items():
        unseen = [name for name in names if name not in looked]
        if unseen:
            message = (
                f"names under the wildcard {visible(wildcard, 260)} that only CT knows were not scanned: {listed(unseen)}; "
                "scan them with --ct-names"
            )
            yield Finding(rule, rule.severity, name_subject(wildcard, places), message)



def _under(rows: Mapping[str, Row], places: Places) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted({name for row in rows.values() for name in row.own if not name.startswith("*.")}):
        wildcard = places.wildcard_of(name) if places.standing(name) is Standing.WILDCARD else None
        if wildcard is not None and DnsName(name).problem is None:
            found.setdefault(wildcard, []).append(name)
    return dict(sorted(found.items()))
