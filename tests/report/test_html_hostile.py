"""The web page in a real browser: whatever certificates and DNS hold, nothing runs in it but its own script."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from report import factory
from report.html_tab import PICTURES, choose, opened
from servers.chromium import Browser

from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.records import ZoneFault, ZoneProblem
from dnscertscan.model.report import Report
from dnscertscan.pki.parse import reference
from dnscertscan.report.html_report import render_html

PROBES = (
    "<script>hit('script')</script>", "<img src=x onerror=hit('img')>", "' onload='hit(1)", "javascript:hit('url')",
    "\" onmouseover=\"hit('attribute')\" autofocus onfocus=\"hit('focus')", "</title></style></script><svg onload=hit('svg')>",
    "<iframe srcdoc='<b>x'></iframe>", "{{ 7 * 191 }}{% raw %}", "-->]]><a href=//evil.test>x</a>",
    "<base href=//evil.test><form action=//evil.test><button autofocus>",
    "<style>*{background:url(//evil.test)}</style><link rel=stylesheet href=//evil.test>", "\u202e<b>\x00\x1b[2J\r\n",
)


def hostile() -> Report:
    """A probe in every field that comes from outside, certificates that were served included."""
    issuing = Authority.root("Root", now=factory.NOW)
    findings, observations, rows = [], [], []
    for number, probe in enumerate(PROBES):
        ends = factory.NOW + timedelta(days=9)
        leaf = issuing.leaf("www.example.com", common_name=probe[:64].replace("\x00", ""), not_after=ends)
        chain = (Certificate(leaf.certificate.public_bytes(factory.Encoding.DER)),)
        words = {"title": probe, "why": probe, "fix": f"{probe}\n    {probe}", "references": (probe,)}
        hit = replace(factory.rule(f"DCS{number + 101}"), **words)
        findings.append(factory.finding(
            probe, rule_hit=hit, fqdn=probe, zone=probe, record=probe, wildcard=probe, store=probe, address=probe,
            certificate=reference(chain[0], 0), leaf=replace(reference(chain[0], 0), issuer=probe, serial=probe),
        ))
        findings.append(replace(findings[-1], certificate=factory.reference(probe, position=None, digest=f"{number:064x}")))
        findings.append(factory.finding(probe, rule_hit=hit, fqdn=probe, zone=probe, address="", port=None))
        observations.append(factory.observation(factory.handshake(chain), fqdn=probe, zone=probe, address=probe))
        rows.append(factory.row(reason=probe, fqdn=probe, zone=probe, detail=probe, wildcard=probe))
    problems = [ZoneProblem(ZoneFault.FAILED, probe, probe, probe) for probe in PROBES]
    report = factory.report(findings, observations, factory.coverage(rows, problems), complete=False)
    words = " ".join(PROBES)
    return replace(report, run=replace(report.run, engine=words, version=words, arguments=PROBES), inconclusive=words)


@pytest.mark.parametrize("name", ["probes", "suite"])
def test_probes_are_inert(tab: Browser, tmp_path: Path, name: str) -> None:
    """Script in any field stays text, when filtering too: nothing runs, no element, attribute or request comes of it."""
    watcher = "window.hits = []; window.hit = name => hits.push(name); window.alert = () => hits.push('alert')"
    added = tab.call("Page.addScriptToEvaluateOnNewDocument", source=watcher)["identifier"]
    opened(tab, hostile() if name == "probes" else factory.hostile_report(), tmp_path, "#q=%3Cscript%3Ehit(1)%3C/script%3E")
    for change in ({"q": "<img"}, {"q": "\" onmouseover"}, {"q": "", "o": "name"}, {"o": "most"}, {"s": "e"}, {"s": ""}):
        choose(tab, **change)
    tab.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
    tab.run("document.querySelectorAll('button').forEach(one => one.click())")
    tab.run("document.querySelectorAll('*').forEach(one => one.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})))")
    tab.settle()
    state: dict[str, Any] = tab.run("""({
        hits, title: document.title, scripts: document.scripts.length, styles: document.querySelectorAll('style,link').length,
        live: document.querySelectorAll('img,iframe,object,embed,base,form,meta[http-equiv=refresh]').length,
        attributes: [...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())
            .filter(name => /^on|^src|^action|autofocus/.test(name)),
        links: [...document.querySelectorAll('a')].map(a => a.getAttribute('href')).filter(h => !h.startsWith('#')),
    })""")
    assert state == {
        "hits": [], "title": "Certificate report, 2026-11-20 12:00 UTC", "scripts": 1, "styles": 1, "live": 0,
        "attributes": [], "links": [],
    }
    assert "<img src=x" in tab.run("document.body.textContent")
    tab.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added)
    tab.picture(PICTURES / f"hostile-{name}.png", whole=True)


def test_the_policy_refuses_what_is_not_ours(tab: Browser, tmp_path: Path) -> None:
    """Should markup ever get in, the policy stops it: the same page with a script and a style put into it runs neither."""
    path = tmp_path / "report.html"
    page = b"".join(render_html(factory.rich_report())).decode()
    got_in = "<script>document.title = 'hit'</script><h1 style='color: rgb(1, 2, 3)' onclick='document.title = 1'>"
    path.write_text(page.replace("<h1>", got_in))
    tab.open(path.as_uri())
    tab.run("document.querySelector('h1').click()")
    assert tab.run("[document.title, getComputedStyle(document.querySelector('h1')).color !== 'rgb(1, 2, 3)']") == [
        "Certificate report, 2026-11-20 12:00 UTC", True,
    ]
    assert any("Content Security Policy" in said for said in tab.complaints)
    tab.complaints.clear()
