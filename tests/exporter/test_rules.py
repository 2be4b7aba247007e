"""The alert rules by promtool, and the dashboard: every query is one that Prometheus takes, about metrics that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from report.exposed import promtool

from dnscertscan.checks.catalog import RULES
from dnscertscan.exporter.metrics import METRICS as OWN
from dnscertscan.report.prometheus import METRICS

CONFIG = Path(__file__).parents[2] / "config"
ALERTS = CONFIG / "prometheus" / "dnscertscan.rules.yml"
CASES = Path(__file__).with_name("alerts.test.yml")
DASHBOARD = json.loads((CONFIG / "grafana" / "dnscertscan.json").read_text())
NAMES = {metric.name: metric.labels for metric in (*METRICS, *OWN)}


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> Iterator[str]:
    """Every query of the dashboard, its variables filled in with what they are when all is selected."""
    for panel in panels():
        for target in panel["targets"]:
            yield re.sub(r"\$(job|instance|zone)\b", ".*", target["expr"])


def test_promtool_takes_the_rules() -> None:
    """`promtool check rules` on the file as it is delivered."""
    done = promtool("check", "rules", str(ALERTS))
    assert done.returncode == 0, done
    assert b"SUCCESS" in done.stdout


def test_alerts_fire_when_they_should() -> None:
    """`promtool test rules`: each alert with its words, and its silence."""
    done = promtool("test", "rules", str(CASES))
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_every_alert_has_a_case() -> None:
    """A rule that nobody has seen fire, and seen silent, is none."""
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    cases = CASES.read_text()
    assert len(alerts) == len(set(alerts)) > 10
    for alert in alerts:
        assert re.search(rf"alertname: {alert}\n +eval_time: \w+\n +exp_alerts:", cases), alert


def test_alerts_are_about_metrics_and_rules_that_there_are() -> None:
    """No name is misspelt: a rule on a metric that does not exist is silent for ever."""
    text = ALERTS.read_text()
    assert set(re.findall(r"\bdnscertscan_\w+", text)) <= set(NAMES)
    assert set(re.findall(r"DCS\d{3}", text)) <= {rule.code for rule in RULES.values()}


def test_the_dashboard_asks_for_metrics_and_labels_that_there_are() -> None:
    """Names of metrics, labels in selectors and groupings, columns of tables."""
    known = {label for labels in NAMES.values() for label in labels} | {"job", "instance"}
    for query in queries():
        names = set(re.findall(r"\bdnscertscan_\w+", query))
        assert names, query
        assert names <= set(NAMES), query
        for labels in re.findall(r"(?:by|on|group_left) \(([^)]*)\)", query):
            assert set(labels.split(", ")) <= known, query
    for panel in panels():
        for change in panel.get("transformations", ()):
            assert set(change["options"]["indexByName"]) <= known | {"Value"}, panel["title"]


def test_promtool_takes_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    """Each as a recording rule: its syntax is Prometheus' own judgement."""
    rules = [{"record": f"dashboard:query_{number}", "expr": query} for number, query in enumerate(queries())]
    place = tmp_path / "dashboard.json"  # YAML takes JSON
    place.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", str(place))
    assert done.returncode == 0, done
    assert len(rules) > 30


def test_the_dashboard_is_one_that_grafana_can_import() -> None:
    """Identifiers are unique, panels do not overlap, every data source is the variable, and nothing names a server."""
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))
    assert DASHBOARD["uid"] == "dnscertscan"
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert {panel["datasource"]["uid"] for panel in panels()} == {"${datasource}"}
    variables = {item["name"] for item in DASHBOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(panels()))) <= variables
    assert "http" not in json.dumps(DASHBOARD)
