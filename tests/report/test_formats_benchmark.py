"""The benchmark of the outputs runs, and measures what it says."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "formats.py"


def told(*arguments: str) -> list[list[str]]:
    """The cells of the table that it prints."""
    done = subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=True)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()]


def test_a_row_for_each_output() -> None:
    """The CSV comes first, whoever asks for it; the ratios are to its time, and every file holds something."""
    head, _, *rows = told("--targets", "400", "--rounds", "1", "--only", "xlsx,statsd")
    assert head[0] == "400 targets, 400 findings"
    assert [row[0] for row in rows] == ["csv", "xlsx", "statsd"]
    csv, xlsx, statsd = ([float(cell) for cell in row[1:]] for row in rows)
    assert csv[2] == 1.0
    assert xlsx[2] > 1
    assert all(row[4] >= row[3] > 10 for row in (csv, xlsx, statsd))
    assert csv[6] > 0.1


def test_an_unknown_output_is_refused() -> None:
    """A word that is no output is named, and so are those that are."""
    done = subprocess.run([sys.executable, str(SCRIPT), "--only", "csv,pdf"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such output: pdf; there are csv, json" in done.stderr
