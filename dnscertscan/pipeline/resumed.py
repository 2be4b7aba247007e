"""What a run that goes on makes of the outcomes an earlier process has left in its journal: they may be that one's own fault."""

from collections.abc import Iterable

from dnscertscan.model.observations import Observation
from dnscertscan.pipeline.breath import unhurried
from dnscertscan.pipeline.suspicion import Tally, is_lost
from dnscertscan.store.journal import Journal


async def recalled(journal: Journal, observed: Iterable[Observation]) -> Tally:
    """The outcomes so far, counted, before anything is done with them.

    Where they look as if the network had gone away before the earlier process ended, those that were lost are taken out of the
    journal: their targets are asked again. That is so of losses that begin late only; a fleet that is half dead would else never
    be done within many short runs.
    """
    tally = await _counted(observed)
    if not tally.late:
        return tally
    async for observation in unhurried(observed):
        if is_lost(observation.outcome):
            journal.forget(observation.target)
    journal.flush()
    return await _counted(observed)


async def disown(journal: Journal, observed: Iterable[Observation]) -> None:
    """The run is inconclusive: what was lost counts for it, but a run that goes on asks these targets again."""
    journal.flush()
    async for observation in unhurried(observed):
        if is_lost(observation.outcome):
            journal.add(observation, final=False)
    journal.flush()


async def _counted(observed: Iterable[Observation]) -> Tally:
    tally = Tally()
    async for observation in unhurried(observed):
        tally.recall(observation)
    tally.recalled()
    return tally
