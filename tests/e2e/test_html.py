"""The web page of the demonstration's fleet, in a real browser."""

import json
from pathlib import Path

from report.html_fleet import Page
from servers.chromium import browser

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"


def test_the_demo_in_a_browser(cli, tmp_path: Path) -> None:
    """Every finding of the JSON report is in the page, chains are drawn, and the browser has nothing to complain about."""
    assert cli("demo", "-q").status == 0
    folder = tmp_path / "demo-output"
    findings = json.loads((folder / "report.json").read_text())["findings"]
    page = Page((folder / "report.html").read_bytes())
    assert sorted(code for code, _ in page.targets) == sorted(finding["code"] for finding in findings)
    with browser(tmp_path / "profile") as tab:
        for name, width, scheme in (("desktop", 1280, "light"), ("dark", 1280, "dark"), ("phone", 375, "light")):
            tab.size(width, 900, phone=name == "phone")
            tab.look(scheme=scheme)
            tab.open((folder / "report.html").as_uri())
            assert tab.run("document.documentElement.scrollWidth") <= width
            tab.picture(PICTURES / f"demo-{name}.png", whole=True)
        assert tab.run("document.getElementById('n').textContent").startswith(f"{len(findings)} of {len(findings)} findings")
        drawn = tab.run("[...document.querySelectorAll('.chain')].map(drawing => drawing.getAttribute('aria-label'))")
        expired = "0 leaf expired.demo.test, at fault; 1 CA Demo Issuing CA; issuer Demo Root, not sent"
        assert f"Certificates as served: {expired}" in drawn
        assert any("trust anchor" in label or "root CA" in label for label in drawn)
        assert tab.run("document.querySelectorAll('.peak').length") >= 1
        assert tab.paper(PICTURES / "demo.pdf") > 1
        assert tab.complaints == []
