"""Puts the certificate lists of several handshakes together: every distinct list once, in a stable order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Deployment, StoreVerdict
from dnscertscan.pki.memory import Kept

Chain = tuple[bytes, ...]
NO_SNI = "no SNI"
LARGE = 1 << 16
"""Octets above which a certificate is not remembered: peers may make one up for every hello."""
_KEPT, _KEPT_OCTETS = 8192, 32 << 20


@dataclass(frozen=True, slots=True)
class Received:
    """One certificate list (DER, leaf first) as one kind of handshake showed it."""

    chain: Chain
    how: str
    staple: bytes | None = None
    scts: bytes | None = None
    """As in :class:`dnscertscan.model.observations.Deployment`."""


@dataclass(frozen=True, slots=True)
class Judged:
    """SSLyze's verdicts on one list, or why there are none."""

    verdicts: tuple[StoreVerdict, ...] = ()
    unjudged: str = ""


def _weigh(one: Certificate) -> int:
    return len(one.der)


_memory: Kept[bytes, Certificate] = Kept(_KEPT, _KEPT_OCTETS, _weigh)


def certificate(der: bytes) -> Certificate:
    """The same object for the same octets, so that an issuer shared by many endpoints is held once."""
    if (known := _memory.get(der)) is None:
        known = Certificate(der)
        if len(der) <= LARGE:
            _memory.put(der, known)
    return known


def deployments(received: Iterable[Received], judged: Mapping[Chain, Judged]) -> tuple[Deployment, ...]:
    """Distinct lists with all the handshakes that showed them: with SNI first, then by handshake, then by digests.

    Lists that share the leaf but differ after it are two deployments. A list served with and without SNI is one, with SNI.
    SCTs that any handshake brought count; that none came (empty) is known when one that asked for them says so.
    """
    labels: dict[Chain, set[str]] = {}
    staples: dict[Chain, bytes] = {}
    scts: dict[Chain, bytes] = {}
    for one in sorted(received, key=lambda item: item.how):
        labels.setdefault(one.chain, set()).add(one.how)
        if one.staple is not None:
            staples.setdefault(one.chain, one.staple)
        if one.scts is not None and not scts.get(one.chain):
            scts[one.chain] = one.scts
    found = []
    for chain, how in labels.items():
        judgement = judged.get(chain, Judged())
        found.append(Deployment(
            chain=tuple(certificate(der) for der in chain), how=tuple(sorted(how)), sni=how != {NO_SNI},
            staple=staples.get(chain), verdicts=judgement.verdicts, unjudged=judgement.unjudged,
            scts=scts.get(chain),
        ))
    return tuple(sorted(found, key=lambda item: (not item.sni, item.how, tuple(one.sha256 for one in item.chain))))
