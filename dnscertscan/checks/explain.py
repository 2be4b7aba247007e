"""The rules as text for a terminal, as Markdown and as JSON: one source, three readers."""

import json
from collections.abc import Iterable
from textwrap import wrap

from dnscertscan.checks.catalog import RULES
from dnscertscan.model.findings import Rule
from dnscertscan.model.rule_text import markdown_help

_WIDTH = 80


def explain(rule: Rule) -> str:
    """What a finding of this rule means, why it matters and how to fix it: lines of at most 80 columns, commands uncut."""
    parts = [*wrap(f"{rule.code} {rule.slug} ({rule.severity}): {rule.title}", _WIDTH)]
    for heading, text in (("Why it matters", rule.why), ("How to fix it", rule.fix)):
        parts += ["", heading, *_wrapped(text)]
    if rule.references:
        parts += ["", "Sources"]
        for reference in rule.references:
            parts += wrap(reference, _WIDTH, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(parts) + "\n"


def _wrapped(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in text.splitlines():
        if paragraph.startswith("    "):
            lines.append(f"  {paragraph}")
        else:
            lines += wrap(paragraph, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return lines


def rules_markdown(rules: Iterable[Rule] = tuple(RULES.values())) -> str:
    """Every rule as a Markdown page: a table of contents, then one section for each."""
    rules = tuple(rules)
    lines = ["# What dnscertscan can find", "", "| code | slug | severity | title |", "| --- | --- | --- | --- |"]
    lines += [f"| [{one.code}](#{one.code.lower()}-{one.slug}) | {one.slug} | {one.severity} | {one.title} |" for one in rules]
    for rule in rules:
        lines += ["", f"## {rule.code} {rule.slug}", "", f"{rule.title}. Severity: {rule.severity}. Scope: {rule.scope}."]
        lines += ["", markdown_help(rule)]
    return "\n".join(lines) + "\n"


def rules_json(rules: Iterable[Rule] = tuple(RULES.values())) -> str:
    """Every rule as JSON (schema ``dnscertscan/rules/1``), in the order of the codes."""
    entries = [
        {
            "code": rule.code, "slug": rule.slug, "title": rule.title, "severity": str(rule.severity), "scope": rule.scope.value,
            "why": rule.why, "fix": rule.fix, "references": list(rule.references),
        }
        for rule in rules
    ]
    return json.dumps({"schema": "dnscertscan/rules/1", "rules": entries}, indent=2, ensure_ascii=False) + "\n"
