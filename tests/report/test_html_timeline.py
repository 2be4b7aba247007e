"""When certificates end: the drawing, the days that stand out, the targets that fail then."""

from datetime import timedelta

import pytest
from cryptography import x509
from report import factory
from report.html_fleet import fleet_report, served

from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.report import Report
from dnscertscan.report.html_report import render_html
from dnscertscan.report.html_timeline import DAYS, Calendar


def html(report: Report) -> str:
    return b"".join(render_html(report)).decode()


def test_the_timeline_shows_what_ends_together() -> None:
    """A bar for each day, what has ended and what ends later apart, and the days on which many end by name."""
    calendar = Calendar(factory.NOW)
    chains = served(60)
    calendar.add(sorted({one.sha256: one for chain in chains for one in chain}.values(), key=lambda one: one.sha256))
    for number, chain in enumerate(chains):
        calendar.serve(factory.observation(factory.handshake(chain), fqdn=f"host{number}.example.com"))
    assert (calendar.total, calendar.ended, calendar.later, calendar.unread) == (61, 0, 1, 0)
    cluster = calendar.clusters()[0]
    assert (cluster.left, cluster.certificates, cluster.endpoints, len(cluster.examples)) == (61, 21, 21, 3)
    assert cluster.day == (factory.NOW + timedelta(days=61)).date()
    page = html(fleet_report(60, chains=60))
    assert f'<text class="peak" x="{cluster.label_x}" y="18">21 on 2027-01-20</text>' in page
    assert "1 ends more than 400 days from now" in page


def calendar_of(days: dict[int, int]) -> Calendar:
    """One on which so many certificates end on these days."""
    calendar = Calendar(factory.NOW)
    for left, count in days.items():
        calendar.days[left] = count
        calendar._names[left] = ["x"]
    return calendar


@pytest.mark.parametrize(("days", "expected"), [
    (dict.fromkeys(range(390), 20), []),
    ({left: 15 + left * 7 % 11 for left in range(390)}, []),
    (dict.fromkeys(range(90), 20) | dict.fromkeys(range(90, 390), 1), []),
    (dict.fromkeys(range(390), 20) | {30: 800}, [30]),
    (dict.fromkeys(range(390), 20) | {30: 99, 60: 100}, [60]),
    (dict.fromkeys(range(0, 300, 2), 1) | {100: 5, 200: 12}, [200]),
    ({5: 1, 17: 1, 90: 3}, [90]),
    ({5: 1, 17: 2}, []),
    (dict.fromkeys(range(0, 40, 10), 100), [0, 10, 20, 30]),
    (dict.fromkeys(range(390), 30) | {left: 400 + left for left in range(20, 390, 20)}, list(range(160, 390, 20))),
])
def test_clusters_stand_out_of_usual_days(days: dict[int, int], expected: list[int]) -> None:
    """A day counts that has many more than usual, however large the fleet; a flat fleet has none, a small one what is plain."""
    assert [one.left for one in calendar_of(days).clusters()] == expected


def test_a_needless_certificate_makes_no_target_fail() -> None:
    """What counts is the first end on the path: leaf, issuers that are sent; not what is sent beside them."""
    old_ca = Authority.root("Old", now=factory.NOW, days=400)
    soon = old_ca.intermediate("Soon CA", not_after=factory.NOW + timedelta(days=20))
    other = old_ca.intermediate("Soon CA", not_after=factory.NOW + timedelta(days=5))

    def der(one: x509.Certificate) -> Certificate:
        return Certificate(one.public_bytes(factory.Encoding.DER))

    def leaf(under: Authority, days: int) -> Certificate:
        begins, ends = factory.NOW - timedelta(days=90), factory.NOW + timedelta(days=days)
        return der(under.leaf(f"h{days}.test", not_before=begins, not_after=ends).certificate)

    needless, mine, garbage = leaf(old_ca, -5), leaf(soon, 50), Certificate(b"no certificate")
    chains = [
        (leaf(old_ca, 30), needless, garbage),
        (mine, der(soon.certificate), needless),
        (mine, needless, der(other.certificate)),
        (leaf(old_ca, 10), der(soon.certificate)),
        (mine, der(other.certificate), der(soon.certificate)),
        (garbage, mine),
    ]
    calendar = Calendar(factory.NOW)
    calendar.add(sorted({one.sha256: one for chain in chains for one in chain}.values(), key=lambda one: one.sha256))
    first = []
    for chain in chains:
        calendar.endpoints.clear()
        calendar.serve(factory.observation(factory.handshake(chain)))
        first.append(dict(calendar.endpoints))
    assert first == [{30: 1}, {20: 1}, {50: 1}, {10: 1}, {20: 1}, {}]


def test_ends_at_the_edges_of_the_timeline() -> None:
    """The very second counts as not ended, the day before as ended, day 400 as later, and an unreadable end is none of them."""
    issuing = Authority.root("R", now=factory.NOW)
    moments = [timedelta(0), timedelta(seconds=-1), timedelta(days=DAYS), timedelta(days=DAYS - 1)]
    ends = [factory.NOW + moment for moment in moments]
    leaves = [issuing.leaf("a.test", not_before=factory.NOW - timedelta(days=9), not_after=end).certificate for end in ends]
    calendar = Calendar(factory.NOW)
    calendar.add([Certificate(b"no certificate"), *(Certificate(one.public_bytes(factory.Encoding.DER)) for one in leaves)])
    assert (calendar.ended, calendar.later, calendar.unread, dict(calendar.days)) == (1, 1, 1, {0: 1, DAYS - 1: 1})
