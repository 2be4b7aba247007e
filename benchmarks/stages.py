"""Where one target's time goes: CPU by stage, by engine, from samples taken in every process of a run (see ``sampler``)."""

import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet import Fleet
from measure import Sample
from peers import ours

ORDER = (
    "start-up", "command line", "zones read", "plan", "handshakes", "judging", "pipeline", "reports", "fetches",
    "event loop and other", "not sampled",
)
_TOP = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """CPU seconds by stage, and the places that cost most; ``elsewhere`` is the part spent in worker processes."""

    sample: Sample
    stages: dict[str, float]
    elsewhere: dict[str, float]
    places: Sequence[tuple[str, float]]


def profile(engine: str, fleet: Fleet) -> Profile:
    """One run of ours with the sampler in it. What no sample saw (a worker killed between two files) is a stage of its own."""
    with tempfile.TemporaryDirectory(prefix="samples-") as folder:
        path = os.pathsep.join(filter(None, [str(Path(__file__).parent / "sampler"), os.environ.get("PYTHONPATH", "")]))
        sample = ours(engine, fleet, environment={"BENCH_SAMPLES": folder, "PYTHONPATH": path})
        processes = {int(file.stem): json.loads(file.read_text()) for file in Path(folder).glob("*.json")}
    first = min(processes, default=0)  # the command itself started before its workers
    stages: dict[str, float] = defaultdict(float)
    elsewhere: dict[str, float] = defaultdict(float)
    places: dict[str, float] = defaultdict(float)
    for pid, rows in processes.items():
        for stage, place, seconds in rows:
            stages[stage] += seconds
            places[f"{stage}: {place}"] += seconds
            if pid != first:
                elsewhere[stage] += seconds
    stages["not sampled"] = max(0.0, sample.cpu - sum(stages.values()))
    return Profile(sample, dict(stages), dict(elsewhere), sorted(places.items(), key=lambda item: -item[1])[:_TOP])
