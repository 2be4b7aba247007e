"""How a finding is named in outputs for people: its place and its message, safe to print, each on one line."""

from dnscertscan.model.endpoints import Endpoint
from dnscertscan.model.findings import Finding
from dnscertscan.model.text import visible

_EACH = '"(each name listed)"'


def place_of(finding: Finding) -> str:
    """``192.0.2.1:443 www.example.com``; a probe has ``(for *.example.com)``; without address the name or the zone alone."""
    at = finding.subject
    return place_text(at.ip_address, at.port, at.fqdn or at.zone, at.wildcard)


def place_text(ip_address: str, port: int | None, name: str, wildcard: str = "") -> str:
    """The same for an address, port and name that need no finding."""
    shown = visible(name, 260) or "-"
    named = f"{shown} (for {visible(wildcard, 260)})" if wildcard else shown
    if ip_address:
        return f"{visible(Endpoint(ip_address, port).text if port else ip_address, 260)} {named}"
    return f"{named} port {port}" if port else named


def message_of(finding: Finding) -> str:
    """The message; it names the trust store where the finding holds for that one only."""
    words = visible(finding.message)
    only = visible(finding.store or "", 260)
    return f"{words} (trust store {only})" if only and only not in words else words


def nameless(finding: Finding) -> str:
    """The message without the target's own name: what is the same for many targets, whose names stand beside it."""
    name = finding.subject.fqdn
    return finding.message.replace(f'"{name}"', _EACH) if name else finding.message
