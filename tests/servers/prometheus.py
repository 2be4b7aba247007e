"""A real Prometheus server that scrapes, evaluates rules and answers queries; ended by pid.

    with prometheus.scraping("127.0.0.1:9793", rules=[path]) as server: server.query("up")
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from servers.dns_process import free_port, unprivileged
from servers.ending import end

_START_SECONDS = 30.0


class Prometheus:
    """Its HTTP API."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer; a query that is refused fails the test."""
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=30) as answer:
            document = json.load(answer)
        assert document["status"] == "success", document
        return document["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """An instant query: each item has ``metric`` (labels) and ``value`` (time, text)."""
        return self.get("query", query=expression)["result"]

    def value(self, expression: str) -> float:
        """The only value of an instant query."""
        (item,) = self.query(expression)
        return float(item["value"][1])

    def wait(self, expression: str, seconds: float = 60) -> list[dict[str, Any]]:
        """What an expression gives as soon as it gives anything."""
        return until(lambda: self.query(expression), expression, seconds)


def until(look: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """The first answer that is not empty."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


@contextmanager
def scraping(target: str, rules: Sequence[Path] = ()) -> Iterator[Prometheus]:
    """Prometheus asks ``target`` (HOST:PORT) every second, under the job ``dnscertscan``."""
    folder = Path(tempfile.mkdtemp(prefix="prometheus-"))
    try:
        copies = [shutil.copy(path, folder / path.name) for path in rules]
        (folder / "data").mkdir()
        config = folder / "prometheus.json"  # YAML takes JSON
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(copy) for copy in copies],
            "scrape_configs": [{"job_name": "dnscertscan", "static_configs": [{"targets": [target]}]}],
        }))
        port = free_port(("127.0.0.1",))
        command = unprivileged([
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ], folder)
        with (folder / "stderr").open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder)
        try:
            server = Prometheus(port)
            _wait(server, process, folder / "stderr")
            yield server
        finally:
            end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Prometheus, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urlopen(f"{server.url}/-/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except URLError:
            time.sleep(0.1)
    raise RuntimeError(f"prometheus is not ready:\n{log.read_text(errors='replace')}")
