"""What the JSON report says of Certificate Transparency."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from report import audits, factory
from report.test_json_report import document, validator

from dnscertscan.model.ct import CtAudit, Logged
from dnscertscan.model.observations import Observation
from dnscertscan.report.json_report import render_json
from dnscertscan.report.jsonl import render_jsonl

LEAF = factory.credential_chain()[0].sha256


def test_without_a_look_nothing_is_said() -> None:
    """A run that did not look says null and has no audits: that is not the same as having found nothing."""
    held = document(factory.rich_report())
    assert (held["ct"], held["ct_audits"]) == (None, [])
    assert {finding["ct"] for finding in held["findings"]} == {None}


def test_a_look_without_facts_from_outside() -> None:
    """The audit alone names its list; nobody was asked, and that is seen."""
    held = document(replace(audits.of_leaves({}), ct_facts=None))
    validator().validate(held)
    assert held["ct"]["log_list"] == {"name": "google", "version": "93.6", "date": "2026-11-11T12:00:00+00:00", "signed": True}
    assert {name: value for name, value in held["ct"].items() if name != "log_list"} == {
        "searched_at": None, "sources": [], "left_out": [], "unasked": [],
    }


def test_sources_are_named_with_their_verdicts() -> None:
    """Every answer of every source, in an order that does not depend on who was quicker; unavailable is a word of its own."""
    held = document(audits.of_leaves({}))
    validator().validate(held)
    told = [(one["source"], one["domain"], one["verdict"], one["reason"]) for one in held["ct"]["sources"]]
    assert told == [
        ("crt.sh", "example.com", "absent", ""), ("crt.sh", "example.net", "unavailable", "HTTP 502"),
        ("sslmate", "example.net", "found", ""),
    ]
    assert [one["domain"] for one in held["ct"]["left_out"]] == ["a.test", "x.test"]
    assert held["ct"]["unasked"] == ["CAA of a.test: timeout"]
    assert held["ct"]["searched_at"] == "2026-11-20T12:00:00+00:00"


def test_rows_that_could_not_be_used_are_told() -> None:
    """With the answer that they are of."""
    report = audits.of_leaves({})
    assert report.ct_facts is not None
    assert report.ct_facts.sightings is not None
    first, *others = report.ct_facts.sightings.answers
    answers = (replace(first, problems=("row: int",)), *others)
    facts = replace(report.ct_facts, sightings=replace(report.ct_facts.sightings, answers=answers))
    held = document(replace(report, ct_facts=facts))
    validator().validate(held)
    assert sorted(one["problems"] for one in held["ct"]["sources"]) == [[]] * len(others) + [["row: int"]]


def test_an_audit_has_the_promised_members() -> None:
    """Verdict, identity, list, policies with reasons, and each SCT; it is there once, however many endpoints serve the leaf."""
    held = document(audits.of_leaves({LEAF: audits.audit(audits.valid())}))
    validator().validate(held)
    assert held["ct_audits"] == [{
        "certificate": LEAF, "logged": "logged", "tbs_sha256": "ef" * 32,
        "list": {"name": "google", "version": "93.6", "age_days": 9},
        "policies": [
            {"program": "chrome", "compliant": False, "reasons": ["1 embedded SCTs count, 2 are needed"]},
            {"program": "apple", "compliant": None, "reasons": ["a doubt"]},
        ],
        "scts": [{
            "log": "Example 'Yew2026h2'", "log_id": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "operator": "Example",
            "state": "usable", "time": "2026-11-20T12:00:00+00:00", "delivery": "embedded", "verdict": "valid", "reason": "",
            "inclusion": {
                "verdict": "included", "reason": "proven", "index": 17, "tree_size": 100,
                "tree_head_at": "2026-11-20T12:00:00+00:00", "evidence": None,
            },
        }],
        "notes": ["a note"],
    }]
    assert LEAF in held["certificates"]


def test_octets_that_are_no_sct_and_times_beyond_the_calendar() -> None:
    """Nothing is made up for what cannot be read, and the report stays one that its schema takes."""
    held = document(audits.of_leaves({LEAF: audits.audit(audits.BROKEN, audits.UNLISTED, logged=Logged.UNKNOWN, tbs="")}))
    validator().validate(held)
    (found,) = held["ct_audits"]
    broken, unlisted = found["scts"]
    assert (found["logged"], found["tbs_sha256"]) == ("unknown", None)
    nothing = {name for name, value in broken.items() if value is None}
    assert nothing == {"log", "log_id", "operator", "state", "time", "inclusion"}
    assert (broken["verdict"], broken["delivery"], broken["reason"]) == ("invalid", "tls", "it ends inside the log id")
    assert (unlisted["verdict"], unlisted["log"], unlisted["time"][:4]) == ("unknown-log", None, "9999")


def test_other_scts_are_another_audit() -> None:
    """A certificate served here with a good staple and there without one has two audits; the same one twice is told once."""
    by_address = {
        "192.0.2.1": audits.audit(audits.valid()), "2001:db8::1": audits.audit(logged=Logged.UNKNOWN),
        "192.0.2.9": audits.audit(audits.valid()),
    }
    whole = audits.of_leaves({})
    report = replace(whole, transparency=lambda look: _at(look, by_address))
    assert [(one["logged"], len(one["scts"])) for one in document(report)["ct_audits"]] == [("logged", 1), ("unknown", 0)]


def _at(look: Observation, by_address: dict[str, CtAudit]) -> dict[str, CtAudit]:
    found = by_address.get(look.target.endpoint.address)
    return {LEAF: found} if found else {}


def test_one_run_gives_the_same_octets() -> None:
    """Rendered twice, and with answers in another order: the same document."""
    report = audits.of_leaves({LEAF: audits.audit(audits.valid(2), audits.valid())})
    facts = report.ct_facts
    assert facts is not None
    assert facts.sightings is not None
    turned = replace(facts.sightings, answers=facts.sightings.answers[::-1], left_out=facts.sightings.left_out[::-1])
    other = replace(report, ct_facts=replace(facts, sightings=turned))
    assert b"".join(render_json(report)) == b"".join(render_json(report)) == b"".join(render_json(other))


def test_audits_are_not_held() -> None:
    """They are asked for one observation at a time, while the document is written."""
    asked: list[str] = []

    def look(observation: Observation) -> dict[str, CtAudit]:
        asked.append(observation.target.endpoint.address)
        number = len(asked)
        return {f"{number:064x}": audits.audit(*[audits.valid()] * 200)}

    many = [factory.observation(address=f"192.0.2.{number}") for number in range(1, 41)]
    report = replace(factory.report(observations=many), transparency=look, log_list=audits.LOGS)
    pieces: Iterator[bytes] = render_json(report)
    next(pieces)
    assert 0 < len(asked) < len(many)
    assert len(json.loads(b"".join(render_json(report)))["ct_audits"]) == len(many)


def test_findings_say_it_too() -> None:
    """The word of the leaf goes with each finding, in JSON and in JSON lines."""
    first, *rest = factory.rich_report().findings
    report = replace(factory.rich_report(), findings=(replace(first, ct="not-logged"), *rest))
    held: list[dict[str, Any]] = document(report)["findings"]
    assert [finding["ct"] for finding in held[:2]] == ["not-logged", None]
    validator().validate(document(report))
    line = json.loads(b"".join(render_jsonl(report)).splitlines()[0])
    validator("observation").validate(line)
    assert line["findings"][0]["ct"] == "not-logged"
