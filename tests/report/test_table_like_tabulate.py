"""The table is written line by line; it looks as the tabulate package would have drawn it."""

from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st
from report import factory
from tabulate import tabulate

from dnscertscan.model.text import visible
from dnscertscan.report.table import HEADERS, render_table

texts = st.sampled_from(("x", "a longer text", " spaces ", "\u4f8b\u3048", "tab\t", "certificate has expired", "y" * 60))


@given(st.lists(st.tuples(texts, texts, st.sampled_from((None, factory.EXPIRING, factory.ROOT_SENT))), min_size=1, max_size=12))
def test_like_tabulate(made: list) -> None:
    """Widths, padding, headers and the ends of lines."""
    groups: dict = {}
    for message, name, rule in made:
        kind = rule or factory.rule()
        groups.setdefault((-kind.severity, kind.code, message), (kind, []))[1].append(f"192.0.2.1:443 {visible(name)}")
    rows = []
    for (_, code, message), (kind, places) in sorted(groups.items(), key=lambda item: item[0]):
        for at, (place, words) in enumerate(zip_longest(places, [visible(message)], fillvalue="")):
            rows.append((*((str(kind.severity), code, str(len(places))) if at == 0 else ("", "", "")), place, words))
    expected = tabulate(rows, headers=HEADERS, tablefmt="simple", disable_numparse=True)
    report = factory.report([factory.finding(message, fqdn=name, rule_hit=rule) for message, name, rule in made])
    assert render_table(report).split("\n\n")[0] == expected
