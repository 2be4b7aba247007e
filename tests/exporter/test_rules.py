"""The alert rules by promtool, and the dashboard: every query is one that Prometheus takes, about metrics that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report.exposed import promtool

from dnscertscan.checks.catalog import RULES
from dnscertscan.exporter.metrics import METRICS as OWN
from dnscertscan.report.prometheus import METRICS

CONFIG = Path(__file__).parents[2] / "config"
ALERTS = CONFIG / "prometheus" / "dnscertscan.rules.yml"
CASES = tuple(Path(__file__).with_name(name) for name in ("alerts.test.yml", "scans.test.yml"))
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
    done = promtool("test", "rules", *map(str, CASES))
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_every_alert_has_a_case() -> None:
    """A rule that nobody has seen fire, and seen silent, is none."""
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    said = "".join(case.read_text() for case in CASES)
    cases = re.findall(r"alertname: (\w+)(?:, |\n +)eval_time: \w+((?:, |\n +)exp_alerts:)?", said)
    assert len(alerts) == len(set(alerts)) > 10
    assert {alert for alert, fires in cases if fires} == set(alerts)
    assert {alert for alert, fires in cases if not fires} == set(alerts)
    assert len(cases) == said.count("alertname: ")


def test_alerts_are_about_metrics_and_rules_that_there_are() -> None:
    """No name is misspelt: a rule on a metric that does not exist is silent for ever."""
    text = ALERTS.read_text()
    assert set(re.findall(r"\bdnscertscan:\w+", text)) == set(re.findall(r"- record: (\S+)", text))
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


def evaluated(tmp_path: Path, series: dict[str, str], expected: dict[str, list[dict[str, object]]]) -> str:
    """What promtool has to say against each query having these samples after an hour; empty: nothing."""
    tests = [{
        "interval": "10m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": "1h", "exp_samples": samples} for query, samples in expected.items()
        ],
    }]
    place = tmp_path / "queries.json"
    place.write_text(json.dumps({"rule_files": [], "evaluation_interval": "10m", "tests": tests}))
    done = promtool("test", "rules", str(place))
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()


def test_without_results_the_dashboard_shows_none(tmp_path: Path) -> None:
    """No zero looks like health where nothing is known; with results a count of nothing is a zero."""
    assert "vector(" not in json.dumps(DASHBOARD)
    assert not evaluated(tmp_path, {}, {query: [] for query in queries()})
    counts = [query for query in queries() if " or 0 * max(dnscertscan_scan_end_timestamp_seconds{" in query]
    assert len(counts) == 18
    zero: list[dict[str, object]] = [{"labels": "{}", "value": 0}]
    results = {'dnscertscan_scan_end_timestamp_seconds{job="j",instance="i"}': "0x10"}
    assert not evaluated(tmp_path, results, dict.fromkeys(counts, zero))


@pytest.mark.parametrize("zone", [r"a\\.test", r"b\\.test", r"(x\\.test|b\\.test)"])
def test_a_zone_finds_the_endpoints_that_several_lead_to(tmp_path: Path, zone: str) -> None:
    """Filled in as Grafana does it: escaped, and several in brackets."""
    where = '{job="j",instance="i",zone="a.test, b.test",fqdn="n",ip_address="192.0.2.1",port="443"}'
    apart = where.replace("a.test, b.test", "aXtest").replace('"n"', '"m"')
    series = {f"dnscertscan_endpoint_errors{one}": "1x10" for one in (where, apart)}
    panel = next(panel for panel in panels() if panel["title"] == "With errors")
    query = re.sub(r"\$(job|instance)\b", ".*", panel["targets"][0]["expr"]).replace("$zone", zone)
    assert not evaluated(tmp_path, series, {query: [{"labels": f"dnscertscan_endpoint_errors{where}", "value": 1}]})
    for panel in panels():
        for target in panel["targets"]:
            for selector in re.findall(r"dnscertscan_endpoint_\w+\{([^}]*)\}", target["expr"]):
                assert 'zone=~"(.*, )?$zone(, .*)?"' in selector, panel["title"]


def test_the_dashboard_shows_what_is_outside_the_expected_range(tmp_path: Path) -> None:
    """Overdue, or issued for longer than is expected; not what has expired, nor a short one that is not due by its age."""
    def series(name: str, end: int, due: int, most: int) -> dict[str, str]:
        where = f'{{job="j",instance="i",zone="z",fqdn="{name}",ip_address="192.0.2.1",port="443"}}'
        values = {"not_after_timestamp_seconds": end, "rotation_due_timestamp_seconds": due, "expected_max_seconds": most}
        return {f"dnscertscan_endpoint_{metric}{where}": f"{value}x10" for metric, value in values.items()}

    known = {
        **series("overdue", 90_000, 1800, 99_999), **series("long", 990_000, 900_000, 99_999),
        **series("ended", 3000, 1800, 99_999), **series("well", 90_000, 7200, 99_999),
    }
    panel = next(panel for panel in panels() if panel["title"] == "Outside the expected range" and panel["type"] == "table")
    samples = [
        {"labels": f'{{job="j",instance="i",zone="z",fqdn="{name}",ip_address="192.0.2.1",port="443"}}', "value": left}
        for name, left in (("overdue", 86_400), ("long", 986_400))
    ]
    query = re.sub(r"\$(job|instance|zone)\b", ".*", panel["targets"][0]["expr"])
    assert not evaluated(tmp_path, known, {query: samples})


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
