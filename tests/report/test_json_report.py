"""The JSON report and its schema."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from report import factory

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Failure, FailureKind, Handshake
from dnscertscan.model.report import Report, State
from dnscertscan.report.describe import terminal_state
from dnscertscan.report.json_report import render_json
from dnscertscan.report.jsonl import findings_lines, observation_line, render_jsonl
from dnscertscan.report.schema import SCHEMA_ID, schema, schema_text


def document(report: Report) -> Any:
    return json.loads(b"".join(render_json(report)))


def strict(node: Any) -> Any:
    """The schema with no member allowed that it does not name: the shipped one lets readers meet newer reports."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: strict(value) for key, value in node.items()}
    return closed | ({"additionalProperties": False} if "properties" in node and "type" in node else {})


def validator(definition: str | None = None) -> jsonschema.Draft202012Validator:
    closed = strict(schema())
    root = closed if definition is None else {"$ref": f"#/$defs/{definition}", "$defs": closed["$defs"]}
    return jsonschema.Draft202012Validator(root, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def test_the_schema_is_one_and_names_its_version() -> None:
    """What is printed for users is a valid JSON Schema, and its version is the one reports carry."""
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$id"] == schema()["properties"]["schema"]["const"] == SCHEMA_ID
    assert schema_text().endswith("}\n")


@pytest.mark.parametrize("make", [factory.report, factory.rich_report, factory.hostile_report])
def test_reports_follow_the_schema_exactly(make: Callable[[], Report]) -> None:
    """Every member is in the schema, every required one in the report; JSONL lines follow the schema's observation."""
    report = make()
    validator().validate(document(report))
    lines = b"".join(render_jsonl(report)).splitlines()
    assert len(lines) >= len(report.observations)
    for line in lines:
        validator("observation").validate(json.loads(line))


def test_the_schema_refuses_what_is_wrong() -> None:
    """A missing member, a wrong word and a wrong type are each refused."""
    good = document(factory.rich_report())
    odd = good["targets"][0] | {"state": "ok"}
    for spoil in ({"schema": "dnscertscan/report/2"}, {"complete": "no"}, {"findings": [{}]}, {"targets": [odd]}):
        with pytest.raises(jsonschema.ValidationError):
            validator().validate(good | spoil)


def test_totals_reconcile() -> None:
    """Targets are the sum of states, states of reasons, the whole of its zones, and each ledger row is under one target."""
    held = document(factory.rich_report())
    coverage = held["coverage"]
    for part in (coverage["totals"], *coverage["zones"]):
        assert part["targets"] == part["scanned"] + part["failed"] + part["skipped"]
        assert {state: sum(reasons.values()) for state, reasons in part["reasons"].items()} == {
            state: part[state] for state in ("scanned", "failed", "skipped")
        }
    for count in ("records", "other_records", "targets", "scanned", "failed", "skipped"):
        assert sum(zone[count] for zone in coverage["zones"]) == coverage["totals"][count]
    assert Counter(row["state"] for target in held["targets"] for row in target["records"]) == {
        state: coverage["totals"][state] for state in ("scanned", "failed", "skipped")
    }


def test_targets_say_how_they_ended() -> None:
    """Observed or not, every place is there once; a duplicate in another zone does not hide the answer."""
    targets = {(target["ip_address"], target["fqdn"]): target for target in document(factory.rich_report())["targets"]}
    ends = {place: (target["state"], target["reason"]) for place, target in targets.items()}
    assert ends == {
        ("192.0.2.1", "www.example.com"): ("scanned", "ok"), ("2001:db8::1", "www.example.com"): ("scanned", "ok"),
        ("192.0.2.9", "probe.w.example.net"): ("scanned", "ok"), ("192.0.2.3", "old.example.com"): ("failed", "refused"),
        ("192.0.2.4", "odd.example.com"): ("failed", "engine"), (None, "gone.example.com"): ("failed", "dangling"),
        ("192.0.2.5", "private.example.com"): ("skipped", "filtered"), ("192.0.2.6", "late.example.com"): ("skipped", "deadline"),
    }
    www = targets["192.0.2.1", "www.example.com"]
    assert www["zones"] == ["example.com", "example.net"]
    assert www["valid"] == {"Mozilla": False, "Private": True}
    assert (www["protocol"], www["cipher"]) == ("TLS 1.3", "TLS_AES_128_GCM_SHA256")
    assert (www["client_auth"], www["seconds"]) == ("requested", 0.25)
    leaf, issuer = factory.credential_chain()
    assert www["deployments"][0] == {
        "certificates": [leaf.sha256, issuer.sha256], "how": ["TLS 1.2 RSA", "TLS 1.3"], "sni": True, "stapled": True,
        "verdicts": [
            {"store": "Mozilla", "trusted": False, "reason": "validation failed"},
            {"store": "Private", "trusted": True, "reason": None},
        ],
    }


def test_certificates_are_there_once_with_their_octets() -> None:
    """However many endpoints serve it, a certificate is one entry, readable and complete."""
    held = document(factory.rich_report())["certificates"]
    assert sorted(held) == sorted(certificate.sha256 for certificate in factory.credential_chain())
    leaf = held[factory.credential_chain()[0].sha256]
    assert (leaf["subject"], leaf["issuer"]) == ("CN=www.example.com,O=Example Trust", "CN=Issuing CA,O=Example Trust")
    assert (leaf["not_before"], leaf["names"]) == ("2026-11-10T12:00:00+00:00", ["www.example.com", "192.0.2.1"])
    body = "".join(leaf["pem"].splitlines()[1:-1])
    assert Certificate(base64.b64decode(body, validate=True)) == factory.credential_chain()[0]


def test_a_finding_has_the_promised_members() -> None:
    """What does not apply is null, never left out."""
    findings = document(factory.rich_report())["findings"]
    assert findings[3] == {
        "ip_address": "2001:db8::1", "port": 443, "fqdn": "www.example.com", "zone": "example.com",
        "code": "DCS101", "slug": "cert-expired", "severity": "error", "message": "unable to get local issuer certificate",
        "store": "Mozilla", "certificate": {
            "position": None, "sha256": "ab" * 32, "serial": "0A1B",
            "subject": "CN=Old", "issuer": "CN=Issuing CA,O=Example Trust",
        },
        "record": "www.example.com. A 192.0.2.1", "wildcard": None, "ct": None,
        "fingerprint": factory.rich_report().findings[3].fingerprint,
    }
    nothing = {member for member, value in findings[5].items() if value is None}
    assert nothing == {"ip_address", "port", "fqdn", "store", "certificate", "record", "wildcard", "ct"}


def test_a_line_holds_its_observation_alone() -> None:
    """A streamed line is one object that needs no other line: answer, facts of its certificates, its findings, a newline."""
    report = factory.rich_report()
    line = observation_line(report.observations[0], report.findings[:2], {"Mozilla": False})
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    held = json.loads(line)
    validator("observation").validate(held)
    assert [finding["code"] for finding in held["findings"]] == ["DCS101", "DCS103"]
    assert held["valid"] == {"Mozilla": False}
    assert {digest for deployment in held["deployments"] for digest in deployment["certificates"]} == set(held["certificates"])


def test_findings_without_an_observation_have_lines_of_their_own() -> None:
    """A dangling name and a failed zone are in the JSONL too, each zone apart, in the shape of an observation."""
    lines = [json.loads(line) for line in findings_lines(factory.rich_report().findings[4:6])]
    assert [(line["fqdn"], line["zones"], line["reason"], line["engine"]) for line in lines] == [
        ("gone.example.com", ["example.com"], "dangling-target", None), ("", ["broken.example"], "zone-failed", None),
    ]


def test_terminal_states() -> None:
    """Every outcome is one of three states; only a look that never happened is skipped."""
    answer = factory.handshake()
    assert terminal_state(answer) == (State.SCANNED, "ok", "TLS 1.3 TLS_AES_128_GCM_SHA256")
    died = Handshake(answer.deployments, "TLS 1.3", "", engine_failure=Failure(FailureKind.ENGINE, "worker died"))
    assert terminal_state(died) == (State.FAILED, "engine", "worker died")
    skipped = {kind for kind in FailureKind if terminal_state(Failure(kind, ""))[0] is State.SKIPPED}
    assert skipped == {FailureKind.DEADLINE}
