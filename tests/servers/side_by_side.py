"""Tests that mostly wait for a process, some at a time: each is a scene in a world of its own, and fails on its own.

    scene = Scenes()                    # at the top of the module; the fixture ``played`` of tests/e2e knows it by this name

    @scene
    def test_something(world: World) -> None: ...
"""

from collections.abc import Callable, Container, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from servers.ct_world import World

T = TypeVar("T")
Played = Callable[[str], T]
"""What came of a scene, by its name; raises what it raised."""
_AT_A_TIME = 4


@contextmanager
def side_by_side(folder: Callable[[str], Path], scenes: Mapping[str, Callable[[World], T]]) -> Iterator[Played[T]]:
    """Play all of them; ``folder`` makes a new one. A scene that tries to leave loopback fails for whoever asks for it."""

    folders = {name: folder("world") for name in scenes}  # pytest does not make them for several threads

    def play(name: str) -> T:
        with World(folders[name]) as world:
            made = scenes[name](world)
        assert world.guard.attempts == []
        return made

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        playing = {name: pool.submit(play, name) for name in scenes}
        yield lambda name: playing[name].result()


class Scenes:
    """The scenes of one module."""

    def __init__(self) -> None:
        self._tests: dict[str, Callable[[World], None]] = {}

    def __call__(self, test: Callable[[World], None]) -> Callable[[Played[None]], None]:
        """``test`` as pytest calls it: it waits for the end of its scene."""
        self._tests[test.__name__] = test

        def wait(played: Played[None]) -> None:
            played(test.__name__)

        wait.__name__, wait.__doc__ = test.__name__, test.__doc__
        return wait

    def among(self, wanted: Container[str]) -> Mapping[str, Callable[[World], None]]:
        """Those that are to be run."""
        return {name: test for name, test in self._tests.items() if name in wanted}
