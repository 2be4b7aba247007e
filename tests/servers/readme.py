"""The examples in the README, as the programs that they are for read them."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


class _Loader(yaml.SafeLoader):
    """YAML 1.2: ``on`` is a word and no truth value."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF"))


def document(text: str) -> Any:
    """A YAML document."""
    return yaml.load(text, _Loader)


def example(heading: str) -> str:
    """The one YAML document under a heading."""
    _, _, section = (ROOT / "README.md").read_text().partition(f"\n#### {heading}\n")
    (found,) = re.findall(r"```yaml\n(.*?)```", re.split(r"\n##", section)[0], re.DOTALL)
    return str(found)


def address() -> str:
    """Where the README says that the project lives."""
    (found,) = re.findall(r"\$ git clone (\S+)", (ROOT / "README.md").read_text())
    return str(found)
