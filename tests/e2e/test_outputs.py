"""Every output of one run, from the command line."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from report import readers
from report.exposed import prometheus_findings
from report.html_fleet import Page
from servers.command import COMMAND, clean_environment

ENDINGS = ("csv", "json", "jsonl", "html", "xlsx", "sarif", "xml", "md", "txt", "prom")


@pytest.fixture
def findings(quick: list[str]) -> list[str]:
    """A run with three warnings in no time."""
    return [*quick, "--fail-on-unreachable"]


def test_all_outputs_of_one_run_agree(cli, findings: list[str], tmp_path: Path, rows_of) -> None:
    """One run writes every format, and each has every finding."""
    done = cli(*findings, *(word for ending in ENDINGS for word in ("-o", f"r.{ending}")))
    assert "Traceback" not in done.err
    held = {ending: (tmp_path / f"r.{ending}").read_bytes() for ending in ENDINGS}
    wanted = sorted(finding["fingerprint"] for finding in json.loads(held["json"])["findings"])
    assert len(wanted) == 3
    assert sorted(row["fingerprint"] for row in rows_of("r.csv")) == wanted
    results = readers.sarif_results(held["sarif"])
    assert sorted(one["partialFingerprints"]["dnscertscanFingerprint/v1"] for one in results) == wanted
    header, *rows = readers.sheets(held["xlsx"])["Findings"]
    assert sorted(row[header.index("fingerprint")] for row in rows) == wanted
    counted = {
        "xml": len(readers.junit_findings(held["xml"])), "md": len(readers.markdown_findings(held["md"])),
        "html": len(Page(held["html"]).targets), "prom": len(prometheus_findings(held["prom"])),
        "jsonl": sum(len(json.loads(line)["findings"]) for line in held["jsonl"].splitlines()),
        "txt": sum(map(int, re.findall(r"^\w+ +DCS\d+ +(\d+) ", held["txt"].decode(), re.MULTILINE))),
    }
    assert counted == dict.fromkeys(counted, 3)
    places = [one["locations"][0] for one in results]
    assert [place["physicalLocation"]["artifactLocation"]["uri"] for place in places] == ["z.json"] * 3
    assert [place["logicalLocations"][0]["fullyQualifiedName"] for place in places] == [f"/a.example/{n}" for n in range(3)]


def test_a_github_workflow(cli, findings: list[str], tmp_path: Path) -> None:
    """Standard output is nothing but workflow commands; the summary of the job is added to what other commands wrote there."""
    place = tmp_path / "summary.md"
    place.write_text("# Of another command\n\n")
    done = cli(*findings, "-f", "github", env={"GITHUB_STEP_SUMMARY": str(place)})
    annotations = readers.github_findings(done.out.encode())
    assert [one.properties["file"] for one in annotations] == ["z.json"] * 3
    first, _, added = place.read_text().partition("# dnscertscan\n")
    assert first == "# Of another command\n\n"
    assert len(readers.markdown_findings(added.encode())) == 3


def test_other_formats_leave_the_job_summary_alone(cli, findings: list[str], tmp_path: Path) -> None:
    """Only who asks for GitHub's format writes to GitHub's files."""
    place = tmp_path / "summary.md"
    cli(*findings, "-f", "csv", env={"GITHUB_STEP_SUMMARY": str(place)})
    assert not place.exists()


def test_a_job_summary_that_cannot_be_written(cli, findings: list[str], tmp_path: Path) -> None:
    """One line with the place and the cause; annotations and files are there, the status says incomplete."""
    done = cli(*findings, "-f", "github", "-o", "r.csv", env={"GITHUB_STEP_SUMMARY": "missing/summary.md"})
    assert done.status == 3
    assert any("job summary missing/summary.md: No such file or directory" in line for line in done.complaints)
    assert len(readers.github_findings(done.out.encode())) == 3
    assert (tmp_path / "r.csv").exists()


def test_a_workbook_is_nothing_for_a_terminal(findings: list[str], tmp_path: Path) -> None:
    """To a terminal it is refused before the scan; to a pipe it is written."""
    command = [*COMMAND, *findings, "-f", "xlsx"]
    ours, theirs = pty.openpty()
    try:
        refused = subprocess.run(
            command, stdout=theirs, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=clean_environment(tmp_path), timeout=60,
            check=False,
        )
    finally:
        os.close(theirs)
        os.close(ours)
    assert refused.returncode == 2
    assert "xlsx is nothing for a terminal" in refused.stderr
    piped = subprocess.run(
        command, capture_output=True, cwd=tmp_path, env=clean_environment(tmp_path), timeout=60, check=False,
    )
    assert len(readers.xlsx_findings(piped.stdout)) == 3
