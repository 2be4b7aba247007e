"""What only many observations together show: one name with several certificates, one serial number on several certificates.

In a big fleet nearly every name and serial number is beyond suspicion. They are sifted first by numbers of 8 octets; only what
may become a finding is then read again and kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address

from dnscertscan.checks.sieve import Sieve
from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.model.text import visible
from dnscertscan.pki.outline import issued_by
from dnscertscan.pki.parse import Facts, parse, refer

_SHOWN = 8
_Place = tuple[str, int, str]
"""Server name, port, service."""
_Issued = tuple[bytes, bytes, bytes]
"""Digest of the issuer's name, key identifier, serial number."""


@dataclass(frozen=True, slots=True)
class Varying:
    """One name and port whose addresses (``targets``, in order) do not all serve the same certificates."""

    targets: tuple[Target, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Twins:
    """Certificates of one issuer with one serial number; ``first`` is the one with the lowest digest, served at ``target``."""

    first: CertificateRef
    target: Target
    message: str


class Fleet:
    """Sees all observations up to three times, in any order.

    That is :meth:`sift`, then :meth:`collect` where that found suspects, then :meth:`collect_twins` where there still are some.
    Keeps digests and references of what varies or is there twice, no certificates.
    """

    def __init__(self) -> None:
        self._places, self._outlines, self._serials = Sieve(), Sieve(), Sieve()
        self._varying: frozenset[int] = frozenset()
        self._suspects: frozenset[int] = frozenset()
        self._served: dict[_Place, dict[Target, frozenset[str]]] = {}
        self._leaves: dict[str, CertificateRef] = {}
        self._issued: dict[_Issued, dict[str, tuple[Target, int]]] = {}
        self._refs: dict[str, CertificateRef] = {}

    def sift(self, observation: Observation) -> tuple[()]:
        """First pass: names and ports by what is served there, certificates by issuer's name and serial number."""
        for _, certificate in _certificates(observation):
            digest = hash(certificate.sha256)
            if self._outlines.is_new(digest):
                self._outlines.add(hash(issued_by(certificate)), digest)
        if leaves := _leaves(observation):
            self._places.add(hash(_place(observation.target)), hash(frozenset(leaf.sha256 for leaf in leaves)))
        return ()

    def sifted(self) -> bool:
        """End the first pass; whether a second one has anything to look at."""
        self._varying, self._suspects = self._places.keys(), self._outlines.values()
        self._places, self._outlines = Sieve(), Sieve()
        return bool(self._varying or self._suspects)

    def collect(self, observation: Observation) -> tuple[()]:
        """Second pass: what is served where it varies; the certificates suspected, by all that tells issuers apart."""
        for _, certificate in _certificates(observation):
            digest = hash(certificate.sha256)
            if digest in self._suspects and self._serials.is_new(digest) and (issued := _issued(certificate)) is not None:
                self._serials.add(hash(issued), digest)
        place = _place(observation.target)
        if hash(place) in self._varying and (leaves := _leaves(observation)):
            self._leaves |= {leaf.sha256: refer(parse(leaf), 0) for leaf in leaves if leaf.sha256 not in self._leaves}
            self._served.setdefault(place, {})[observation.target] = frozenset(leaf.sha256 for leaf in leaves)
        return ()

    def collected(self) -> bool:
        """End the second pass; whether a third one has anything to look at."""
        self._suspects = self._serials.values()
        self._serials = Sieve()
        return bool(self._suspects)

    def collect_twins(self, observation: Observation) -> tuple[()]:
        """Third pass: where the certificates are that share a serial number."""
        for position, certificate in _certificates(observation):
            if hash(certificate.sha256) in self._suspects and (issued := _issued(certificate)) is not None:
                places = self._issued.setdefault(issued, {})
                here = (observation.target, position)
                if certificate.sha256 not in places or here < places[certificate.sha256]:
                    places[certificate.sha256] = here
                    self._refs[certificate.sha256] = refer(parse(certificate), position)
        return ()

    def varying(self) -> Iterator[Varying]:
        """Every name and port served differently, compared by the sets of leaf certificates."""
        for place in sorted(self._served):
            served = self._served[place]
            if len(set(served.values())) > 1:
                targets = sorted(served, key=_address)
                yield Varying(tuple(targets), self._varying_text(targets, served))

    def twins(self) -> Iterator[Twins]:
        """Every serial number that one issuer (name and key) gave to more than one certificate."""
        for issued in sorted(self._issued):
            places = self._issued[issued]
            if len(places) > 1:
                digests = sorted(places)
                target, _ = places[digests[0]]
                first = self._refs[digests[0]]
                texts = [f"{_named(self._refs[digest])} at {places[digest][0].endpoint.text}" for digest in digests]
                issuer = visible(first.issuer, 200)
                message = (
                    f'two certificates of one issuer share a serial number: serial {first.serial} of "{issuer}" is on '
                    f"{_listed(texts, ' and on ')}"
                )
                yield Twins(first, target, message)

    def _varying_text(self, targets: Sequence[Target], served: dict[Target, frozenset[str]]) -> str:
        groups: dict[frozenset[str], list[str]] = {}
        for target in targets:
            groups.setdefault(served[target], []).append(target.endpoint.address)
        texts = []
        for digests, addresses in groups.items():
            certificates = [_named(self._leaves[digest]) for digest in sorted(digests)]
            verb = "serves" if len(addresses) == 1 else "serve"
            texts.append(f"{_listed(addresses, ', ')} {verb} {_listed(certificates, ' and ')}")
        return f"different certificates are served on different connections: {_listed(texts, '; ')}"


def _certificates(observation: Observation) -> Iterator[tuple[int, Certificate]]:
    """Every certificate that was sent, with its position."""
    if isinstance(observation.outcome, Handshake):
        for deployment in observation.outcome.deployments:
            yield from enumerate(deployment.chain)


def _leaves(observation: Observation) -> list[Certificate]:
    """What is served for the name; nothing where that may be incomplete, for then it is not compared with others."""
    outcome = observation.outcome
    if not isinstance(outcome, Handshake) or outcome.engine_failure is not None or outcome.unanswered:
        return []
    return [deployment.chain[0] for deployment in outcome.deployments if deployment.sni and deployment.chain]


def _place(target: Target) -> _Place:
    return target.server_name.text, target.endpoint.port, target.endpoint.service


def _issued(certificate: Certificate) -> _Issued | None:
    """What no two certificates may share; None for what cannot be read."""
    facts = parse(certificate)
    if facts.problem or not facts.serial:
        return None
    issuer = sha256(repr(facts.issuer.key).encode("utf-8", "surrogatepass")).digest()
    return issuer, _issuer_key(facts), facts.serial


def _issuer_key(facts: Facts) -> bytes:
    """What tells two issuers of one name apart: the authority key identifier, for a self-signed certificate its own key."""
    authority = facts.extensions.authority_key
    if authority is not None and authority.key_id:
        return authority.key_id
    return facts.key.digest if facts.is_self_issued else b""


def _address(target: Target) -> tuple[int, int, Target]:
    address = ip_address(target.endpoint.address)
    return address.version, int(address), target


def _named(certificate: CertificateRef) -> str:
    end = f" until {certificate.not_after.isoformat()}" if certificate.not_after else ""
    return f'"{visible(certificate.subject, 200)}"{end} (sha256 {certificate.sha256[:16]})'


def _listed(texts: Iterable[str], between: str) -> str:
    every = list(texts)
    more = f"{between}{len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return between.join(every[:_SHOWN]) + more
