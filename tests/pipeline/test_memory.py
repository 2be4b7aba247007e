"""The one place that tunes the interpreter for very many values."""

import gc

import pytest

from dnscertscan.pipeline.memory import many_values


def test_the_collector_is_as_before_afterwards():
    """Inside it looks less often, also when nested; after an exception, too, it is as it was."""
    before = gc.get_threshold()
    with many_values():
        assert gc.isenabled()
        assert gc.get_threshold()[0] > 10 * before[0]
        with many_values():
            pass
        assert gc.get_threshold()[0] > 10 * before[0]
    assert gc.get_threshold() == before
    with pytest.raises(ZeroDivisionError), many_values():
        raise ZeroDivisionError
    assert gc.get_threshold() == before
