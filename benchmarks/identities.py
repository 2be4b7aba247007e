"""The certificates of the fleet.

Keys are expensive and play no part in what is measured, so all leaves share two RSA and two ECDSA keys: 500 identities take a
second, and every leaf still has its own names, serial number and signature.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from dnscertscan.demo.authority import Authority, Credential, Key, new_key, pem


class Shares(Protocol):
    """The part of the fleet's specification that the certificates depend on."""

    @property
    def certificates(self) -> int: ...
    @property
    def both(self) -> float: ...
    @property
    def expired(self) -> float: ...
    @property
    def wrong_name(self) -> float: ...
    @property
    def incomplete(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """One server block: ``label`` is the label under bench.test; one or two leaves. ``complete``: intermediates are sent."""

    label: str
    leaves: tuple[Credential, ...]
    complete: bool

    def write(self, folder: Path) -> Iterator[tuple[Path, Path]]:
        """Write chain and key of every leaf, PEM."""
        for number, leaf in enumerate(self.leaves):
            chain, key = folder / f"{self.label}-{number}.pem", folder / f"{self.label}-{number}.key"
            chain.write_bytes(leaf.chain_pem if self.complete else pem([leaf.certificate]))
            key.write_bytes(leaf.key_pem)
            yield chain, key


def make_identities(spec: Shares, now: datetime) -> tuple[bytes, list[Identity]]:
    """The root (PEM) and ``spec.certificates`` identities, the same mix at every call."""
    root = Authority.root("Bench Root", now=now, key="rsa2048")
    issuing = {kind: root.intermediate(f"Bench {kind} CA", key=kind) for kind in ("rsa2048", "ec")}
    keys = {kind: [new_key(kind) for _ in range(2)] for kind in issuing}
    return pem([root.certificate]), [_identity(spec, number, issuing, keys, now) for number in range(spec.certificates)]


def _identity(
    spec: Shares, number: int, issuing: dict[str, Authority], keys: dict[str, list[Key]], now: datetime
) -> Identity:
    label, place = f"z{number:04}", (number * 0.6180339887) % 1  # spreads the kinds evenly over the numbers
    kinds = ["rsa2048", "ec"] if place < spec.both else ["rsa2048"] if place < (1 + spec.both) / 2 else ["ec"]
    fault = (number * 0.7548776662 + 0.5) % 1
    expired = fault < spec.expired
    wrong = 0 <= fault - spec.expired < spec.wrong_name
    incomplete = 0 <= fault - spec.expired - spec.wrong_name < spec.incomplete
    names = (f"*.{label}.elsewhere.test",) if wrong else (f"*.{label}.bench.test", f"{label}.bench.test")
    end = now - timedelta(days=3) if expired else now + timedelta(days=80)
    leaves = [issuing[kind].leaf(*names, key=keys[kind][number % 2], not_after=end) for kind in kinds]
    return Identity(label, tuple(leaves), complete=not incomplete)
