"""What only many observations together show: one name with several certificates, one serial number on several certificates."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address

from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.model.text import visible
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
    """Collects observations in any order; keeps digests and references, no certificates."""

    def __init__(self) -> None:
        self._served: dict[_Place, dict[Target, frozenset[str]]] = {}
        self._leaves: dict[str, CertificateRef] = {}
        self._issued: dict[_Issued, dict[str, tuple[Target, int]]] = {}
        self._refs: dict[str, CertificateRef] = {}

    def add(self, observation: Observation) -> tuple[()]:
        """Take note of one observation. One whose deployments may be incomplete is not compared with others."""
        outcome, target = observation.outcome, observation.target
        if not isinstance(outcome, Handshake):
            return ()
        for deployment in outcome.deployments:
            for position, certificate in enumerate(deployment.chain):
                self._note_serial(certificate, position, target)
        leaves = [deployment.chain[0] for deployment in outcome.deployments if deployment.sni and deployment.chain]
        if leaves and outcome.engine_failure is None and not outcome.unanswered:
            self._leaves |= {leaf.sha256: refer(parse(leaf), 0) for leaf in leaves if leaf.sha256 not in self._leaves}
            place = (target.server_name.text, target.endpoint.port, target.endpoint.service)
            self._served.setdefault(place, {})[target] = frozenset(leaf.sha256 for leaf in leaves)
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

    def _note_serial(self, certificate: Certificate, position: int, target: Target) -> None:
        facts = parse(certificate)
        if facts.problem or not facts.serial:
            return
        issuer = sha256(repr(facts.issuer.key).encode("utf-8", "surrogatepass")).digest()
        places = self._issued.setdefault((issuer, _issuer_key(facts), facts.serial), {})
        here = (target, position)
        if certificate.sha256 not in places or here < places[certificate.sha256]:
            places[certificate.sha256] = here
            self._refs[certificate.sha256] = refer(facts, position)

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
