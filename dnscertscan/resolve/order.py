"""The order targets are scanned in: neighbours are spread over the whole run, so that nobody is hit in a burst (pure).

Targets are first put in an order like chance's. Then each group, its members in the order they have, gets places at even
distances from the beginning to the end, starting at an offset of its own: first the groups of one address, then those of one
network, in which the targets of an address thereby stand evenly, too.
"""

from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from ipaddress import IPv6Address

from dnscertscan.model.endpoints import Target

_WHOLE = 2**64


def spread(targets: Sequence[Target], seed: bytes) -> list[Target]:
    """``targets``, each once, in an order that is the same for the same sequence and seed.

    In any stretch of it no address and no network (/24, /48) has much more than its share of the whole. Takes the time of
    three sorts, and about 50 octets a target beside the list.
    """
    key = blake2b(seed, digest_size=32).digest()
    noise = array("Q", (_noise(key, f"{one.endpoint.text} {one.endpoint.service} {one.server_name.text}") for one in targets))
    order = sorted(range(len(targets)), key=noise.__getitem__)
    order = _evenly(order, _groups(one.endpoint.address for one in targets), key)
    order = _evenly(order, _groups(network(one.endpoint.address) for one in targets), key)
    return [targets[number] for number in order]


def network(address: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one: what usually has one operator, and one rate limit."""
    if ":" not in address:
        return address.rpartition(".")[0]
    return f"{int(IPv6Address(address)) >> 80:x}"


def _evenly(order: Sequence[int], groups: tuple[Sequence[int], Sequence[str]], key: bytes) -> list[int]:
    group_of, names = groups
    sizes, seen = array("Q", bytes(8 * len(names))), array("Q", bytes(8 * len(names)))
    for group in group_of:
        sizes[group] += 1
    offsets = array("d", (_noise(key, name) / _WHOLE for name in names))
    places = array("d", bytes(8 * len(order)))
    for number in order:
        group = group_of[number]
        places[number] = (seen[group] + offsets[group]) / sizes[group]
        seen[group] += 1
    return sorted(order, key=places.__getitem__)


def _groups(names: Iterable[str]) -> tuple[Sequence[int], Sequence[str]]:
    """The number of each one's group, and the groups' names."""
    numbers: dict[str, int] = {}
    return array("Q", (numbers.setdefault(name, len(numbers)) for name in names)), tuple(numbers)


def _noise(key: bytes, text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=8).digest(), "big")
