"""GitHub's workflow commands, read by the grammar that its documentation and runner have."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report import factory, readers

from dnscertscan.model.text import visible
from dnscertscan.report.github import command, render_github
from dnscertscan.report.summary import incomplete_reasons

texts = st.text(st.characters(codec=None), max_size=60)


@given(texts, texts, texts)
def test_any_text_is_one_command(message: str, file: str, title: str) -> None:
    """Whatever the texts hold, a line is one command, and its values are read back as they were shown."""
    (read,) = readers.commands(command("error", message, file=file, title=title).encode())
    assert read == ("error", {"file": visible(file), "title": visible(title)}, visible(message))


def test_worst_first() -> None:
    """What is missing and the summary, then errors, warnings and notes: GitHub shows the first ten of each kind only."""
    report = factory.rich_report()
    lines = readers.commands(b"".join(render_github(report)))
    others = [line for line in lines if not line.properties["title"].startswith("DCS")]
    assert lines[: len(others)] == others
    assert [line.name for line in others] == ["error", "notice"]
    assert others[0].message == "; ".join(incomplete_reasons(report))
    assert others[-1].message.startswith("9 records -> 9 targets: ")
    names = [line.name for line in lines[len(others) :]]
    assert names == ["error"] * 4 + ["warning"] * 2 + ["notice"]


def test_an_annotation_names_file_and_record() -> None:
    """The zones file it comes from, so that the annotation stands there; none for a zone that was transferred."""
    def of(origin: str) -> readers.Command:
        covered = factory.coverage([replace(factory.row(), origin=origin)])
        (one,) = readers.github_findings(b"".join(render_github(factory.report([factory.finding()], [], covered))))
        return one

    title = {"title": "DCS101 cert-expired"}
    assert of("zones/a,b.json record 17") == (
        "error", {"file": "zones/a,b.json", "line": "1"} | title,
        "certificate has expired (192.0.2.1:443 www.example.com; zones/a,b.json record 17)",
    )
    assert of("dns://192.0.2.53:53/example.com").properties == title
    assert of("").message == "certificate has expired (192.0.2.1:443 www.example.com)"


@pytest.mark.parametrize("text", ["::error::x", "\n::stop-commands::x", "##[add-mask]x", "%0A::set-env name=A::b", "a::b,c=d"])
def test_no_second_command(text: str) -> None:
    """A text that looks like a command is none: every line begins with one of ours."""
    report = factory.report([factory.finding(text, fqdn=text, zone=text)])
    document = b"".join(render_github(report))
    assert [one.name for one in readers.commands(document)] == ["notice", "error"]
    assert len(document.splitlines()) == 2
