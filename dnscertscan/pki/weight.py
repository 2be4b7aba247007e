"""How much memory the facts of a certificate take: 16 kB of octets made for it can become a megabyte of names."""

from collections.abc import Iterable

from dnscertscan.pki.dn import DistinguishedName
from dnscertscan.pki.extensions import Extensions
from dnscertscan.pki.general_names import Names

_FRAME, _TEXT, _NAME, _ATTRIBUTE, _POINT = 3500, 80, 200, 400, 400
"""Octets, measured and rounded up: facts without names, a short text, a Name, each attribute in it, a distribution point."""


def facts_weight(octets: int, subject: DistinguishedName, issuer: DistinguishedName, extensions: Extensions) -> int:
    """About how many octets the facts of a certificate of ``octets`` octets take, itself included; 5 kB for a small one."""
    constraints, authority, points = extensions.constraints, extensions.authority_key, extensions.crl_points
    weight = _FRAME + 3 * octets + _TEXT * len(extensions.extended or ()) + _POINT * len(points)
    weight += _ATTRIBUTE * max(len(subject.attributes) + len(issuer.attributes) - 8, 0)
    if authority:
        weight += _directories(authority.issuers)
    if constraints:
        weight += names_weight(constraints.permitted) + names_weight(constraints.excluded)
    if extensions.alt_names:
        weight += names_weight(extensions.alt_names)
    return weight + sum(names_weight(point.name.full) for point in points if point.name)


def names_weight(names: Names) -> int:
    """The same for GeneralNames, their octets left out."""
    texts = len(names.dns) + len(names.ips) + len(names.emails) + len(names.uris)
    return _TEXT * texts + (_directories(names.directories) if names.directories else 0)


def _directories(names: Iterable[DistinguishedName]) -> int:
    return sum(_NAME + _ATTRIBUTE * len(name.attributes) for name in names)
