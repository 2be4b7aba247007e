"""How rules are written down: data first, texts as they read in the source file."""

from textwrap import dedent

from dnscertscan.model.findings import Rule, Scope, Severity

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def rule(
    code: int, slug: str, severity: Severity, title: str, *, why: str, fix: str, references: tuple[str, ...] = (),
    scope: Scope = Scope.ENDPOINT,
) -> Rule:
    """A rule with its code written ``DCS101``; ``why`` and ``fix`` may be indented as the source file wants (:func:`reflow`)."""
    return Rule(f"DCS{code}", slug, title, severity, scope, reflow(why), reflow(fix), references)


def reflow(text: str) -> str:
    """``text`` without the source's indentation: a paragraph is one line; a line indented by four more is a command, kept."""
    paragraphs: list[str] = []
    broken = True
    for line in dedent(text).strip("\n").splitlines():
        if line.startswith("    "):
            paragraphs.append(line.rstrip())
            broken = True
        elif not line.strip():
            broken = True
        elif broken:
            paragraphs.append(line.strip())
            broken = False
        else:
            paragraphs[-1] += f" {line.strip()}"
    return "\n".join(paragraphs)
