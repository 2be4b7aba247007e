"""The measurements of ``bench.py``: each section starts its own fleet and gives a value for results.json.

A measurement that fails is a Sample with a problem; the others go on.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from fleet import FleetSpec, fleet
from measure import Sample
from peers import BASELINE, describe, ours, peers
from stages import profile

from dnscertscan.scan import ENGINES

KINDS = ("silent", "slow", "reset", "blackhole")
SHARE = 0.05
DEADLINE = 5.0
SIZES = (100, 1_000, 10_000, 100_000)
_LONG = 10_000
_ADDRESSES = 500
_IDENTITIES = 2_000

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: rounds of which the median counts, targets of a run, the largest zone of the growth section."""

    rounds: int = 3
    targets: int = 2_000
    most: int = 100_000
    engines: Sequence[str] = ("sslyze", "probe", "auto")

    @property
    def built(self) -> list[str]:
        """The engines wanted that this version of the program has."""
        return [name for name in self.engines if name in ENGINES]


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def attempt(label: str, measure: Callable[[], Sample]) -> Sample:
    """The sample; when it cannot be had, a sample that says why."""
    try:
        sample = measure()
    except (OSError, RuntimeError, ValueError, IndexError, StopIteration, subprocess.SubprocessError) as problem:
        sample = Sample(0, problem=f"{type(problem).__name__}: {problem}")
    say(f"  {label:44} {sample.problem or describe(sample)}")
    return sample


def table(wanted: Wanted) -> Json:
    """Everybody in turn, round after round, over one fleet with many names on each address."""
    return _side_by_side(wanted, FleetSpec(wanted.targets, addresses=_ADDRESSES), tuple(peers()))


def alone(wanted: Wanted) -> Json:
    """The same where every name has an address and a certificate of its own: nothing that one name teaches helps another."""
    spec = FleetSpec(_IDENTITIES, addresses=_IDENTITIES, certificates=_IDENTITIES)
    return _side_by_side(wanted, spec, (BASELINE, *(f"dnscertscan --engine {name}" for name in wanted.built)))


def _side_by_side(wanted: Wanted, spec: FleetSpec, who: Sequence[str]) -> Json:
    found: dict[str, list[Json]] = {}
    unwanted = {f"dnscertscan --engine {name}" for name in ENGINES if name not in wanted.engines}
    with fleet(spec) as running:
        for number in range(wanted.rounds):
            say(f"side by side, {spec.targets} names on {spec.addresses} addresses, round {number + 1} of {wanted.rounds}")
            for name, measure in peers().items():
                if name in unwanted or name not in who:
                    continue
                samples = found.setdefault(name, [])
                if measure is not None:
                    samples.append(asdict(attempt(name, partial(measure, running))))
    return {"targets": spec.targets, "addresses": spec.addresses, "rounds": wanted.rounds, "rows": found}


def bad(wanted: Wanted) -> Json:
    """One target in twenty is bad, one kind at a time, against a clean fleet of the same size."""
    found: dict[str, dict[str, list[Json]]] = {name: {} for name in wanted.built}
    for kind in ("clean", *KINDS):
        say(f"5 % bad: {kind}")
        shares = {} if kind == "clean" else {kind: SHARE}
        spec = FleetSpec(wanted.targets, addresses=_ADDRESSES, **shares)
        for name, samples in _by_engine(wanted.built, wanted.rounds, spec, ("--timeout", f"{DEADLINE:g}")):
            found[name][kind] = samples
    return {"targets": wanted.targets, "rounds": wanted.rounds, "share": SHARE, "deadline": DEADLINE, "rows": found}


def growth(wanted: Wanted) -> Json:
    """From a hundred targets to a hundred thousand. The long runs are done once: they are steady by themselves."""
    found: dict[str, dict[str, list[Json]]] = {name: {} for name in wanted.built}
    for size in SIZES:
        if size > wanted.most:
            continue
        say(f"growth: {size} targets")
        spec = FleetSpec(size, addresses=min(size, _IDENTITIES), certificates=min(size, _IDENTITIES))
        rounds = 1 if size >= _LONG else wanted.rounds
        for name, samples in _by_engine(wanted.built, rounds, spec, limit=900.0):
            found[name][str(size)] = samples
    return {"rounds": wanted.rounds, "long": _LONG, "rows": found}


def _by_engine(
    engines: Sequence[str], rounds: int, spec: FleetSpec, options: Sequence[str] = (), *, limit: float = 300.0
) -> Iterable[tuple[str, list[Json]]]:
    """The samples of every engine over one fleet, round after round."""
    found: dict[str, list[Json]] = {name: [] for name in engines}
    with fleet(spec) as running:
        for _ in range(rounds):
            for name in engines:
                found[name].append(asdict(attempt(name, partial(ours, name, running, *options, limit=limit))))
    return found.items()


def stages(wanted: Wanted) -> Json:
    """Where one target's time goes, a run of every engine with the sampler in it."""
    found: dict[str, Json] = {}
    with fleet(FleetSpec(wanted.targets, addresses=_ADDRESSES)) as running:
        for name in wanted.built:
            say(f"profile: {name}")
            taken = profile(name, running)
            say(f"  {name:44} {taken.sample.problem or describe(taken.sample)}")
            found[name] = asdict(taken)
    return {"targets": wanted.targets, "rows": found}


SECTIONS: Mapping[str, Callable[[Wanted], Json]] = {
    "table": table, "alone": alone, "bad": bad, "growth": growth, "profile": stages,
}
