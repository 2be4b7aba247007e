"""The JSON Schema of the JSON report, as shipped with the package."""

import json
from importlib.resources import files
from typing import Any

SCHEMA_ID = "dnscertscan/report/1"
"""What a report says in its ``schema``; a change that breaks readers gets the next number and a file of its own."""


def schema_text() -> str:
    """The schema document (JSON Schema 2020-12), ending with a newline."""
    return (files(__package__) / "report-1.schema.json").read_text(encoding="utf-8")


def schema() -> dict[str, Any]:
    """The schema as an object. Lines of the JSONL format follow its ``$defs/observation``."""
    document: dict[str, Any] = json.loads(schema_text())
    return document
