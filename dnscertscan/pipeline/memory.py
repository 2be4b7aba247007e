"""How the interpreter and the C library are told that very many small values are about to be made and kept."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_M_MMAP_THRESHOLD = -3
"""From glibc's malloc.h."""
_LARGE = 128 * 1024
_YOUNG = 50_000


@contextmanager
def many_values() -> Iterator[None]:
    """While zones are read and planned: a third less time, and freed memory goes back to the system.

    Python's cyclic collector looks at everything again and again while hundreds of thousands of values are made, of which
    none is garbage; inside, it looks a good deal less often. glibc raises its limit for blocks of their own whenever such a
    block is freed, so that after the first large table all others, freed again, stay with the process: the limit is fixed at
    its start value (for the process, from now on). With another C library nothing is changed.
    """
    _give_back_large_blocks()
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _give_back_large_blocks() -> None:
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
    except (AttributeError, OSError, TypeError):  # no such function, no C library to be found, or a system without the idea
        return
