"""Rules as text: what a terminal, a web page and a program get to read."""

import json
import re

import pytest

from dnscertscan.checks import RULES
from dnscertscan.checks.explain import explain, rules_json, rules_markdown


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_explanations_fit_the_terminal(rule) -> None:
    """80 columns, except commands, which must stay on one line to be copied."""
    text = explain(rule)
    prose = [line for line in text.splitlines() if not line.startswith("      ")]
    assert max(map(len, prose)) <= 80
    assert text.splitlines()[0].startswith(f"{rule.code} {rule.slug} ({rule.severity}): ")
    assert text.endswith("\n")
    unwrapped = " ".join(text.split())
    assert " ".join(rule.why.split()) in unwrapped
    assert " ".join(rule.fix.split()) in unwrapped
    assert all(" ".join(reference.split()) in unwrapped for reference in rule.references)


def test_the_markdown_page_has_a_linked_section_for_every_rule() -> None:
    """Each row of the table leads to a heading; commands are code blocks of their own."""
    page = rules_markdown()
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9-]", "", heading.lower().replace(" ", "-")) for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) == anchors
    assert len(anchors) == len(RULES)
    lines = page.splitlines()
    fences = [index for index, line in enumerate(lines) if line == "```"]
    assert fences
    assert len(fences) % 2 == 0
    inside = {line for start, end in zip(fences[::2], fences[1::2], strict=True) for line in lines[start + 1 : end]}
    commands = {line[4:] for rule in RULES.values() for line in f"{rule.why}\n{rule.fix}".splitlines() if line.startswith("    ")}
    assert inside == commands
    assert "\\*.example.com" in page


def test_the_json_holds_every_field_of_every_rule() -> None:
    """Programs get the same texts in the order of the codes."""
    document = json.loads(rules_json())
    assert document["schema"] == "dnscertscan/rules/1"
    assert [rule["slug"] for rule in document["rules"]] == list(RULES)
    assert document["rules"][0] == {
        "code": "DCS101", "slug": "cert-expired", "title": "Certificate has expired", "severity": "error", "scope": "endpoint",
        "why": RULES["cert-expired"].why, "fix": RULES["cert-expired"].fix, "references": list(RULES["cert-expired"].references),
    }
