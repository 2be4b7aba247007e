"""The web page of a large fleet in a real browser: octets, seconds to make and to open it, milliseconds to filter and sort.

    PYTHONPATH=tests python benchmarks/html_page.py [--targets 50000]

every own   every target has a certificate and a finding of its own: the largest page so many targets can give
long names  the same with names of 38 characters and an organisation in each certificate
100 octets  the same with names of 100
shared      ten targets share a certificate
one         all of them share one

A filter is measured in the page, from the input to the frame that shows its result; "painted" is the slower of the two
animation frames behind it. The words asked for match one target, a tenth of them, an issuer, all of them and none.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from report.html_fleet import LONG, LONGEST, fleet_report
from servers.chromium import Browser, browser

from dnscertscan.report.html_report import render_html

ASKED = {
    "one": {"q": "host4321.example"}, "a tenth": {"q": "host3"}, "issuer": {"q": "issuing"}, "digest": {"q": f"{4321:064x}"},
    "none": {"q": "nothing has this name"}, "zone": {"q": "", "z": "example.com"}, "errors": {"z": "", "s": "e"},
    "all": {"s": ""}, "by name": {"o": "name"}, "by end": {"o": "ends"},
}
MEASURE = """(values => new Promise(done => {
  const start = performance.now();
  for (const [id, value] of Object.entries(values)) {
    const field = document.getElementById(id);
    field.value = value;
  }
  const field = document.getElementById(Object.keys(values).at(-1));
  (field.id === 'q' ? field.oninput : document.getElementById('s').onchange)();
  const worked = performance.now() - start;
  requestAnimationFrame(() => requestAnimationFrame(() => done([worked, performance.now() - start])));
}))"""


def measure(tab: Browser, targets: int, per_certificate: int, names: Mapping[str, str], folder: Path) -> list[Any]:
    """Megabytes, seconds to make, seconds to open, then (script, painted) milliseconds for each thing asked."""
    report = fleet_report(targets, per_certificate, **names)
    place = folder / "report.html"
    start = time.monotonic()
    with place.open("wb") as out:
        out.writelines(render_html(report))
    made = time.monotonic() - start
    start = time.monotonic()
    tab.open(place.as_uri())
    opened = time.monotonic() - start
    tab.run("document.getElementById('findings').scrollIntoView()")
    tab.settle()
    times = [tab.run(f"{MEASURE}({values!r})") for values in ASKED.values()]
    assert tab.complaints == []
    return [place.stat().st_size / 1e6, made, opened, *times]


def main() -> None:
    """A row for each kind of fleet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=50_000)
    targets = parser.parse_args().targets
    print(f"| {targets:,} targets | MB | made s | opened s | {' | '.join(f'{name} ms' for name in ASKED)} |")
    print("| --- | " + " | ".join(["---:"] * (3 + len(ASKED))) + " |")
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder) / "profile") as tab:
        tab.size(1280, 900)
        for name, per_certificate, names in (
            ("every own", 1, {}), ("long names", 1, LONG), ("100 octets", 1, LONGEST), ("shared", 10, {}), ("one", targets, {}),
        ):
            size, made, opened, *times = measure(tab, targets, per_certificate, names, Path(folder))
            cells = [f"{script:.0f} / {painted:.0f}" for script, painted in times]
            print(f"| {name} | {size:.1f} | {made:.1f} | {opened:.1f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
