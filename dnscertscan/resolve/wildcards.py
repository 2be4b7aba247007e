"""Which names to scan for a wildcard: a probe label that is the same from run to run, and the names configured for it."""

from collections.abc import Iterator
from hashlib import sha256

from dnscertscan.model.names import MAX_NAME, DnsName
from dnscertscan.resolve.mapping import MapSettings
from dnscertscan.resolve.zone_index import ZoneTree


def probe_name(wildcard: DnsName, settings: MapSettings) -> DnsName:
    """The name a wildcard is scanned with; a shorter label where the usual one would make the name too long."""
    digest = sha256(wildcard.text.encode("utf-8", "surrogatepass")).hexdigest()
    base = wildcard.parent
    labels = (settings.probe_label or f"dnscertscan-probe-{digest[:8]}", f"probe-{digest[:8]}", digest[:8], digest[0])
    return base.child(next((label for label in labels if len(label) + 1 + len(base.text) <= MAX_NAME), labels[0]))


def configured_names(wildcard: DnsName, zone: DnsName, settings: MapSettings) -> Iterator[tuple[str, DnsName]]:
    """(key, name) for each name configured for this wildcard or for its zone, once; a zone's names may be outside of it.

    ``shop`` and ``a.shop`` are relative to the wildcard, ``shop.example.com`` and anything with a final dot stand for themselves.
    """
    base = wildcard.parent
    seen = set()
    for key, entries in settings.wildcard_names.items():
        if DnsName.parse(key).text not in (wildcard.text, zone.text):
            continue
        for entry in entries:
            name = DnsName.parse(entry)
            if not entry.endswith(".") and not name.is_within(zone):
                name = DnsName.parse(entry, base)
            if name not in seen:
                seen.add(name)
                yield key, name


def not_covered(tree: ZoneTree, wildcard: DnsName, name: DnsName) -> str | None:
    """Why the wildcard does not answer for ``name`` (RFC 4592 3.3.1), or None when it does."""
    if not name.is_within(wildcard.parent) or name == wildcard.parent:
        return f"not below {wildcard.parent.display}"
    if name.problem is None and not tree.covers(wildcard, name):
        return "the name, or a nearer one above it, exists in the zone: the wildcard does not apply (RFC 4592)"
    return None
