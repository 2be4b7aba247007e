"""Broken chains by the million: every one must end in an answer, quickly.

    python benchmarks/fuzz_diagnose.py [--inputs 1000000] [--seed 1]

Each input is a generated chain (tests/pki/changes.py) in which octets are replaced, inserted or removed at random places,
or a stapled response treated the same way. Prints rate and slowest input; an exception ends the run with the input as hex.
"""

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from pki.changes import CHANGES, make
from pki.forge import NOW, OcspSpec, ca_spec, leaf_spec

from dnscertscan import diagnose


def spoil(octets: bytes, draw: random.Random) -> bytes:
    """``octets`` with one to four small changes."""
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(octets) + 1)
        octets = octets[:place] + draw.randbytes(draw.choice((0, 1, 1, 2, 4))) + octets[place + draw.choice((0, 1, 1, 2, 9)) :]
    return octets


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--inputs", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    draw = random.Random(chosen.seed)
    cases = [make(change) for change in CHANGES]
    staple = OcspSpec(ca_spec(), leaf_spec().serial).der
    slowest, valid, start = 0.0, 0, time.perf_counter()
    for _ in range(chosen.inputs):
        case = draw.choice(cases)
        chain = [spoil(octets, draw) if draw.random() < 0.6 else octets for octets in case.chain]
        stapled = spoil(staple, draw) if draw.random() < 0.3 else None
        before = time.process_time()
        try:
            found = diagnose(chain, case.name, case.anchors, NOW, staple=stapled)
        except BaseException:
            print("chain:", *(octets.hex() for octets in chain), "staple:", stapled.hex() if stapled else "-", sep="\n")
            raise
        slowest = max(slowest, time.process_time() - before)
        valid += found.valid
        assert found.valid or any(problem.severity == "error" for problem in found.problems)
    spent = time.perf_counter() - start
    rate = chosen.inputs / spent
    print(f"{chosen.inputs} inputs in {spent:.0f} s ({rate:.0f} a second), slowest {slowest * 1000:.1f} ms of CPU, {valid} valid")


if __name__ == "__main__":
    main()
