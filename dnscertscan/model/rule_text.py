"""What a rule says of itself, as plain text and as Markdown. The words are the package's own, no text from outside."""

from collections.abc import Iterator

from dnscertscan.model.findings import Rule


def plain_help(rule: Rule) -> str:
    """Why it matters, how to fix it and the sources, as plain text."""
    parts = [f"Why it matters\n{rule.why}", f"How to fix it\n{rule.fix}"]
    if rule.references:
        parts.append("Sources\n" + "\n".join(rule.references))
    return "\n\n".join(parts)


def markdown_help(rule: Rule) -> str:
    """The same as Markdown."""
    parts = [f"**Why it matters.** {markdown(rule.why)}", f"**How to fix it.** {markdown(rule.fix)}"]
    if rule.references:
        parts.append(f"Sources: {markdown('; '.join(rule.references))}.")
    return "\n\n".join(parts)


def markdown(text: str) -> str:
    """Paragraphs, and commands (lines indented by four) as code blocks."""
    return "\n".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    inside = False
    for number, line in enumerate(text.splitlines()):
        command = line.startswith("    ")
        if command != inside:
            yield "```" if inside else "\n```"
            inside = command
        elif number and not command:
            yield ""
        yield line[4:] if command else line.translate(_SPECIAL)
    if inside:
        yield "```"


_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|"})
