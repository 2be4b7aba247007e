"""The workflow and the pipeline of the README: valid by the published schemas, and what they run does what they count on."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from report import readers
from servers.command import Done, clean_environment
from servers.https import HttpsServers
from servers.published import validator
from servers.readme import address, document, example

from dnscertscan.errors import ExitStatus

WORKFLOW = document(example("GitHub Actions"))
PIPELINE = document(example("GitLab CI"))
STEPS = WORKFLOW["jobs"]["scan"]["steps"]
JOB = PIPELINE["certificates"]
_SCHEMAS = {
    "workflow": "https://json.schemastore.org/github-workflow.json",
    "pipeline": "https://gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json",
}

Run = Callable[..., Done]


@pytest.fixture(scope="module")
def servers() -> Iterator[HttpsServers]:
    """Two endpoints with an error and a warning each."""
    with HttpsServers(addresses=2) as servers:
        yield servers


@pytest.fixture
def run(tmp_path: Path, servers: HttpsServers) -> Run:
    """Run a script of the example, as a runner does, where the files are that the example starts for."""
    records = [{"type": "A", "name": f"n{number}", "target": one} for number, one in enumerate(servers.addresses)]
    (tmp_path / "zones.json").write_text(json.dumps({"a.example": records}))
    (tmp_path / "dnscertscan.toml").write_text(f"[scan]\nports = [{servers.port}]\n")
    environment = clean_environment(tmp_path)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"

    def bash(script: str, **more: str) -> Done:
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment | more, capture_output=True, text=True, timeout=120, check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return bash


@pytest.mark.parametrize(("name", "text", "needed"), [
    ("workflow", WORKFLOW, ("jobs", "scan", "runs-on")), ("pipeline", PIPELINE, ("certificates", "script")),
])
def test_examples_are_valid(tmp_path: Path, name: str, text: Any, needed: tuple[str, ...]) -> None:
    """No error by the schema that editors use; a key that is needed is missed."""
    published = validator(_SCHEMAS[name], tmp_path)
    assert [error.message for error in published.iter_errors(text)] == []
    broken = json.loads(json.dumps(text))
    *above, last = needed
    table = broken
    for key in above:
        table = table[key]
    del table[last]
    assert not published.is_valid(broken)


def test_the_workflow_may_do_little() -> None:
    """It reads the repository, and only the job that uploads findings may write these."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW["jobs"]["scan"]["permissions"] == {"contents": "read", "security-events": "write", "actions": "read"}
    assert {"schedule", "pull_request"} <= set(WORKFLOW["on"])


def test_both_install_the_same() -> None:
    """From where the README says that the project lives."""
    (install,) = (step["run"] for step in STEPS if "pip" in step.get("run", ""))
    assert [install] == JOB["before_script"] == [f"pip install git+{address()}"]


def test_the_workflow_scans(run: Run, tmp_path: Path) -> None:
    """Findings fail the step; annotations, the summary and every file that later steps upload are there, and these still run."""
    (number,) = (number for number, step in enumerate(STEPS) if step.get("run", "").startswith("dnscertscan"))
    done = run(STEPS[number]["run"], GITHUB_STEP_SUMMARY="summary.md")
    assert done.status == ExitStatus.FINDINGS, done
    found = readers.github_findings(done.out.encode())
    assert len(found) == 4
    assert {one.properties["file"] for one in found} == {"zones.json"}
    assert len(readers.markdown_findings((tmp_path / "summary.md").read_bytes())) == 4
    sarif, files = STEPS[number + 1 :]
    assert sarif["uses"].startswith("github/codeql-action/upload-sarif@")
    assert len(readers.sarif_results((tmp_path / sarif["with"]["sarif_file"]).read_bytes())) == 4
    assert sarif["if"] == f"${{{{ !cancelled() && hashFiles('{sarif['with']['sarif_file']}') != '' }}}}"
    assert files["uses"].startswith("actions/upload-artifact@")
    assert files["if"] == "${{ !cancelled() }}"
    for name in files["with"]["path"].split():
        assert (tmp_path / name).stat().st_size > 0


def test_the_pipeline_scans(run: Run, tmp_path: Path) -> None:
    """Findings end with the status that is allowed, and only that is; the tests and every file kept as artefact are there."""
    (script,) = JOB["script"]
    assert script.startswith("dnscertscan ")
    done = run(script)
    assert [done.status] == JOB["allow_failure"]["exit_codes"] == [ExitStatus.FINDINGS]
    artifacts = JOB["artifacts"]
    assert artifacts["when"] == "always"
    assert len(readers.junit_findings((tmp_path / artifacts["reports"]["junit"]).read_bytes())) == 4
    for name in artifacts["paths"]:
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("zones", [b"{", None])
def test_what_cannot_be_scanned_fails(run: Run, tmp_path: Path, zones: bytes | None) -> None:
    """A zones file that is broken or missing is never taken for findings that may be allowed; the reports are there."""
    (tmp_path / "zones.json").unlink()
    if zones is not None:
        (tmp_path / "zones.json").write_bytes(zones)
    done = run(JOB["script"][0])
    assert done.status == ExitStatus.USAGE
    assert done.status not in JOB["allow_failure"]["exit_codes"]
    assert all((tmp_path / name).exists() for name in (*JOB["artifacts"]["paths"], JOB["artifacts"]["reports"]["junit"]))
