"""Lines for programs that take measurements by UDP, put together into datagrams that cross any Ethernet in one piece."""

from collections.abc import Iterable, Iterator

LARGEST = 1432
"""Octets: an Ethernet frame without the headers of IPv6 and UDP, and some for tunnels (what StatsD's own manual advises)."""


def datagrams(groups: Iterable[str]) -> Iterator[bytes]:
    """The texts, each one or several lines that have to stay together, as datagrams; lines are separated, not ended, by LF."""
    held: list[bytes] = []
    size = -1
    for group in groups:
        octets = group.encode("utf-8")
        if held and size + 1 + len(octets) > LARGEST:
            yield b"\n".join(held)
            held, size = [], -1
        held.append(octets)
        size += 1 + len(octets)
    if held:
        yield b"\n".join(held)
