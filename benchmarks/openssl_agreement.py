"""Our verdict against ``openssl verify`` over generated chains: agreement, and every difference with its source.

    python benchmarks/openssl_agreement.py [--chains 5000] [--seed 1] [--level 2]

Each chain is a sound one with zero to three changes (tests/pki/worlds.py). Exit status 1 when a difference is not in the table
of deliberate ones (tests/pki/differences.py).
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from pki import openssl
from pki.changes import CHANGES, make
from pki.differences import explained

from dnscertscan import diagnose


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chains", type=int, default=5000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--level", type=int, default=2, help="OpenSSL's -auth_level (0: key sizes and digests do not matter)")
    chosen = options.parse_args()
    draw = random.Random(chosen.seed)
    verdicts: Counter[tuple[bool, bool]] = Counter()
    deliberate: Counter[tuple[str, str]] = Counter()
    strange: list[str] = []
    everything = list(CHANGES)
    spent = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(chosen.chains):
            names = (everything[number],) if number < len(everything) else draw.sample(everything, draw.choice((0, 1, 2, 2, 3)))
            case = make(*names, kind=draw.choice(("P-256", "P-256", "RSA2048")))
            start = time.perf_counter()
            found = diagnose(case.chain, case.name, case.anchors, case.at)
            spent += time.perf_counter() - start
            accepted, reason = openssl.verify(case, Path(folder), level=chosen.level)
            verdicts[found.valid, accepted] += 1
            if found.valid is not accepted:
                entry = explained(names, found.valid)
                if entry:
                    deliberate[entry.what, entry.source] += 1
                else:
                    errors = ", ".join(problem.slug for problem in found.problems if problem.severity == "error")
                    ours = "accept" if found.valid else f"refuse ({errors})"
                    strange.append(f"{'+'.join(names)}: we {ours}; OpenSSL: {reason or 'OK'}")
    same = verdicts[True, True] + verdicts[False, False]
    print(f"{chosen.chains} chains, {same} agree: {verdicts[True, True]} accepted, {verdicts[False, False]} refused by both")
    print(f"{sum(deliberate.values())} deliberate differences, {len(strange)} others; {spent / chosen.chains * 1000:.2f} ms each")
    for (what, source), count in deliberate.most_common():
        print(f"{count:6}  {what}  [{source}]")
    for line in strange[:50]:
        print(f"   NOT EXPLAINED  {line}")
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
