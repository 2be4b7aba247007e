"""What is stored, as octets and back: JSON lists whose places are the fields, in UTF-8 that holds lone surrogates too."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dnscertscan.model.observations import ClientAuth, Deployment, Failure, FailureKind, Handshake, Outcome, StoreVerdict
from dnscertscan.store.octets import Octets

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def pack(value: object) -> bytes:
    """Plain lists, texts and numbers as octets. Half a surrogate pair stays what it is, and so do two halves side by side."""
    return _encoder.encode(value).encode("utf-8", "surrogatepass")


def unpack(octets: bytes) -> Any:
    """What :func:`pack` was given (tuples come back as lists). Raises ValueError for anything else."""
    try:
        return json.loads(octets.decode("utf-8", "surrogatepass"))
    except RecursionError as problem:
        raise ValueError("nested too deep") from problem


def moment(when: datetime | None) -> str | None:
    """A time to the microsecond, with its offset."""
    return None if when is None else when.isoformat()


def when(text: str | None) -> datetime | None:
    """The time back."""
    return None if text is None else datetime.fromisoformat(text)


def pack_outcome(outcome: Outcome, octets: Octets) -> bytes:
    """An outcome; certificates and other long octets are put into ``octets``, and stand here as numbers."""
    if isinstance(outcome, Failure):
        return pack([str(outcome.kind), outcome.detail])
    failed = outcome.engine_failure
    return pack([
        None, outcome.protocol, outcome.cipher, str(outcome.client_auth), outcome.unanswered,
        failed and [str(failed.kind), failed.detail], outcome.alpn, outcome.legacy,
        [_deployment(one, octets) for one in outcome.deployments],
    ])


def _deployment(one: Deployment, octets: Octets) -> list[object]:
    return [
        list(map(octets.number_of, one.chain)), one.how, one.sni, octets.number(one.staple),
        [[word.store, word.trusted, word.reason] for word in one.verdicts], one.unjudged, octets.number(one.scts),
    ]


def unpack_outcome(data: bytes, octets: Octets) -> Outcome:
    """The outcome back. Raises ValueError, TypeError or KeyError where the octets are no outcome."""
    kind, *rest = unpack(data)
    if kind is not None:
        (detail,) = rest
        return Failure(FailureKind(kind), detail)
    protocol, cipher, client_auth, unanswered, failed, alpn, legacy, deployments = rest
    return Handshake(
        tuple(_deployed(one, octets) for one in deployments), protocol, cipher, ClientAuth(client_auth), tuple(unanswered),
        Failure(FailureKind(failed[0]), failed[1]) if failed else None, alpn, tuple(legacy),
    )


def _deployed(one: list[Any], octets: Octets) -> Deployment:
    chain, how, sni, staple, verdicts, unjudged, scts = one
    return Deployment(
        tuple(map(octets.certificate, chain)), tuple(how), sni, octets.data(staple),
        tuple(StoreVerdict(*word) for word in verdicts), unjudged, octets.data(scts),
    )


def certificates_in(data: bytes) -> Iterator[int]:
    """The numbers of the certificates that an outcome shows."""
    kind, *rest = unpack(data)
    if kind is None:
        for one in rest[-1]:
            yield from one[0]
