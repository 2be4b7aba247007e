"""Markdown, read by a real parser that allows HTML and makes links of bare addresses."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report import factory, readers

from dnscertscan.model.text import visible
from dnscertscan.report.markdown import code, job_summary, render_markdown

MARKUP = {
    "html": "<script>alert(1)</script><b>x</b><!-- ", "link": "[click](https://evil.example) ![x](https://evil.example/x.png)",
    "bare": "https://evil.example www.evil.example mail@evil.example @everyone #1", "code": "`a` ``b`` ```",
    "cells": "a | b \\| c |",
    "ends": "text\\", "entity": "&lt;&#124;&amp;", "heading": "# x", "rule": "---", "list": "- x", "style": "**a** _b_ ~~c~~",
    "spaces": "  a  ", "tick": "`", "bars": "||||", "emoji": ":skull:", "math": "$x$",
}
HARMLESS = {
    "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "code_inline", "strong_open",
    "strong_close", "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close",
    "th_open", "th_close", "td_open", "td_close", "softbreak", "blockquote_open", "blockquote_close",
}


def hostile(texts: dict[str, str]):
    findings = [
        factory.finding(text, fqdn=text, zone=text, record=text, wildcard=text, store=text or None) for text in texts.values()
    ]
    rows = [factory.row(fqdn=text, zone=text) for text in texts.values()]
    return factory.report(findings, [], factory.coverage(rows))


@pytest.mark.parametrize("texts", [MARKUP, factory.HOSTILE])
def test_outside_text_is_no_markup(texts: dict[str, str]) -> None:
    """No link, image, HTML or style comes out of certificates and zones: each text is inside a code span, all of it."""
    document = b"".join(render_markdown(hostile(texts)))
    assert {token.type for token in readers.tokens(document)} <= HARMLESS
    rows = readers.markdown_findings(document)
    assert [len(row) for row in rows] == [4] * len(texts)
    shown = [row[1].children[0].content if row[1].children else "" for row in rows]
    wanted = [visible(text).replace("`", "\\x60").replace("|", "\\x7c").split() for text in texts.values()]
    assert [text.partition(" (trust store ")[0].split() for text in shown] == wanted


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_is_one_code_span_in_one_cell(text: str) -> None:
    """Whatever the text: one row, two cells, and in the first nothing but a code span."""
    page = f"| a | b |\n| --- | --- |\n| {code(text)} | end |\n".encode()
    (table,) = readers.tables(page)
    ((first, second),) = table.rows
    assert [token.type for token in first.children or ()] == (["code_inline"] if text else [])
    assert second.content == "end"


def test_the_page_says_what_the_report_says() -> None:
    """Verdict, what is missing, zones, then the rules that were hit, worst first, each with its explanation."""
    page = b"".join(render_markdown(factory.rich_report())).decode()
    assert page.startswith("# dnscertscan\n\n**4 errors**, **2 warnings**.\n")
    assert "> **Incomplete:** `zone broken.example: REFUSED by 192.0.2.53`" in page
    headings = [line for line in page.splitlines() if line.startswith("### ")]
    assert headings == [
        "### DCS101 cert-expired: title (error, 3)", "### DCS507 zone-failed: title (error, 1)",
        "### DCS103 cert-expiring: title (warning, 1)", "### DCS501 dangling-target: title (warning, 1)",
        "### DCS207 chain-includes-root: title (info, 1)",
    ]
    assert page.count("**How to fix it.** fix") == 5
    assert "| `192.0.2.1:443 www.example.com` | `certificate has expired` | 2026-11-17 | `www.example.com. A 192.0.2.1` |" in page


def test_commands_are_code() -> None:
    """The commands of a rule's fix are a code block, its other words are text."""
    told = replace(factory.rule(), why="a <b> c", fix="Do this:\n    rm -r *\n    ls\nThen rest.")
    blocks = readers.tokens(b"".join(render_markdown(factory.report([factory.finding(rule_hit=told)]))))
    assert [token.content for token in blocks if token.type == "fence"] == ["rm -r *\nls\n"]
    assert any("a <b> c" in token.content for token in blocks if token.type == "text")
    assert not any(token.type.startswith("html") for token in blocks)


@pytest.mark.parametrize("room", [0, 50, 200, 1000, 3000, 100_000])
def test_the_summary_of_a_job_fits(room: int) -> None:
    """Never more than there is room for; cut between lines, and it says so; whole where it fits."""
    report = factory.report(factory.finding(f"finding {number}", fqdn=f"n{number}.example.com") for number in range(300))
    whole, cut = b"".join(render_markdown(report)), b"".join(job_summary(report, room))
    assert len(cut) <= room
    if len(whole) < room:
        assert cut == whole
    elif room >= 200:
        kept, note = cut.split(b"\n\n**Cut here")
        assert whole.startswith(kept)
        assert whole[len(kept) - 1 : len(kept)] == b"\n" or kept == b""
        assert b"have all of it" in note
