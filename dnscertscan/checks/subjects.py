"""What a finding is about, taken from the target and the records that lead to it; and the one order findings are shown in."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_address

from dnscertscan.model.endpoints import Provenance, Target
from dnscertscan.model.findings import Finding, Subject
from dnscertscan.model.names import DnsName

RecordText = Callable[[Provenance], str]
"""A provenance's record as text, ``www.example.com. CNAME web.example.com.``."""


def zones_of(target: Target) -> tuple[DnsName, ...]:
    """The zones whose records lead to the target, sorted, each once."""
    origins = target.provenance
    return (origins[0].zone,) if len(origins) == 1 else tuple(sorted({origin.zone for origin in origins}))


def subject_of(target: Target, record_text: RecordText) -> Subject:
    """The target as a subject; with several records or zones, each distinct text once, sorted."""
    named = name_subject(target.provenance, target.server_name, record_text)
    return replace(named, ip_address=target.endpoint.address, port=target.endpoint.port)


def joint_subject(targets: Sequence[Target], record_text: RecordText) -> Subject:
    """Targets of one name and port at several addresses as one subject, without address."""
    origins = [origin for target in targets for origin in target.provenance]
    return replace(name_subject(origins, targets[0].server_name, record_text), port=targets[0].endpoint.port)


def name_subject(origins: Sequence[Provenance], name: DnsName, record_text: RecordText) -> Subject:
    """A name (without address) that the records of ``origins`` lead to or stand at."""
    return Subject(
        zone=", ".join(sorted({origin.zone.text for origin in origins})),
        fqdn=name.text if name.problem is None else name.display,
        record="; ".join(sorted({record_text(origin) for origin in origins})),
        wildcard=", ".join(sorted({origin.wildcard.text for origin in origins if origin.wildcard is not None})),
    )


SortKey = tuple[str, str, tuple[int, int, str], int, str, str, str, str]


def sort_key(finding: Finding) -> SortKey:
    """Order of findings in every output: zone, name, address as a number, port, code, certificate, store, message."""
    place = finding.subject
    return (
        place.zone, place.fqdn, _address_key(place.ip_address), -1 if place.port is None else place.port, finding.rule.code,
        finding.certificate.sha256 if finding.certificate else "", finding.store or "", finding.message,
    )


def _address_key(text: str) -> tuple[int, int, str]:
    try:
        address = ip_address(text)
    except ValueError:
        return (0, 0, text)
    return (address.version, int(address), text)
