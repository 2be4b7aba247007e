"""Who may be asked next: caps hold, nobody waits for a busy address, everybody is asked once."""

import asyncio
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from servers.scanning import target

from dnscertscan.model.endpoints import Target
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.limits import Lanes, Place


def _targets(*addresses: int) -> list[Target]:
    return [target(443, f"n{number}.test", address=f"192.0.2.{address}") for number, address in enumerate(addresses)]


@given(st.lists(st.integers(1, 5), max_size=80), st.integers(1, 6), st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_everyone_once_and_never_too_many(addresses: list[int], workers: int, per_address: int) -> None:
    """Whatever the order of addresses: each target comes once, and no address has more than its share in flight."""
    async def run() -> tuple[list[str], int]:
        lanes = Lanes(_targets(*addresses), ScanSettings(concurrency=workers, per_address=per_address))
        seen: list[str] = []
        now: Counter[str] = Counter()
        most = 0

        async def work() -> None:
            nonlocal most
            while (place := await lanes.take()) is not None:
                address = place.target.endpoint.address
                now[address] += 1
                most = max(most, now[address])
                await asyncio.sleep(0)
                seen.append(place.target.server_name.text)
                now[address] -= 1
                lanes.release(place)

        async with asyncio.timeout(5):
            await asyncio.gather(*(work() for _ in range(workers)))
        return seen, most

    seen, most = asyncio.run(run())
    assert sorted(seen) == sorted(one.server_name.text for one in _targets(*addresses))
    assert most <= per_address


def test_a_busy_address_does_not_hold_up_the_others() -> None:
    """Behind five hundred names on one address, another address is asked at once."""
    async def run() -> list[str]:
        lanes = Lanes(_targets(*[1] * 500, 2, 3), ScanSettings(concurrency=20, per_address=2))
        places = [await lanes.take() for _ in range(4)]
        return [place.target.endpoint.address for place in places if place is not None]

    assert asyncio.run(run()) == ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]


def test_silent_connections_free_their_turn_up_to_a_cap() -> None:
    """A peer silent for half a second no longer counts as talking, yet one address never gets more than its part."""
    async def run() -> tuple[int, int]:
        lanes = Lanes(_targets(*[1] * 500), ScanSettings(concurrency=24, per_address=2))
        taken: list[Place] = []

        async def take() -> None:
            while (place := await lanes.take()) is not None:
                taken.append(place)

        taking = asyncio.create_task(take())
        await asyncio.sleep(0.1)
        early = len(taken)
        await asyncio.sleep(1.2)
        taking.cancel()
        return early, len(taken)

    assert asyncio.run(run()) == (2, 6 + 2)


def test_a_peer_that_talks_keeps_its_turn() -> None:
    """Once a peer has been heard it counts as talking for as long as it takes."""
    async def run() -> int:
        lanes = Lanes(_targets(*[1] * 10), ScanSettings(concurrency=24, per_address=2))
        for _ in range(2):
            place = await lanes.take()
            assert place is not None
            place.heard()
        taking = asyncio.create_task(lanes.take())
        done, _ = await asyncio.wait([taking], timeout=0.8)
        taking.cancel()
        return len(done)

    assert asyncio.run(run()) == 0
