"""Chains with faults by name: a sound world, one or more changes to it, and the certificates that come out."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pki import forge
from pki.forge import NOW, Spec

Change = Callable[["World"], "World"]


@dataclass(frozen=True)
class Case:
    """What a client gets."""

    chain: tuple[bytes, ...]
    anchors: tuple[bytes, ...]
    name: str
    at: datetime


@dataclass(frozen=True)
class World:
    """Root, intermediates (nearest to the leaf first), leaf, and how they are sent."""

    leaf: Spec
    cas: tuple[Spec, ...]
    root: Spec
    name: str = "www.example.com"
    at: datetime = NOW
    self_signed: bool = False
    trusted: bool = True
    anchor_at: int = -1
    """Which certificate is the anchor, counted in leaf, intermediates, root."""
    send: Callable[[list[bytes]], list[bytes]] = field(default=lambda built: built[:-1] or built)
    """From [leaf, intermediates..., root] to what the server sends."""
    more_anchors: tuple[bytes, ...] = ()

    def build(self) -> Case:
        line = [self.leaf] if self.self_signed else [self.leaf, *self.cas, self.root]
        built = [spec.signed_by(line[min(index + 1, len(line) - 1)]) for index, spec in enumerate(line)]
        anchors = (built[min(self.anchor_at, len(built) - 1)],) if self.trusted else (other_root().signed_by(other_root()),)
        return Case(tuple(self.send(built)), (*anchors, *self.more_anchors), self.name, self.at)

    def ca(self, change: Callable[[Spec], Spec]) -> "World":
        return replace(self, cas=(change(self.cas[0]), *self.cas[1:]))


def other_root() -> Spec:
    return forge.root_spec("Other Root")


def sound(kind: str = "P-256", depth: int = 1) -> World:
    cas = tuple(forge.ca_spec("Int" if index == 0 else f"Int{index}", kind) for index in range(depth))
    return World(forge.leaf_spec(kind=kind), cas, forge.root_spec(kind=kind))


def explicit_curve() -> bytes:
    """A P-256 key whose curve is spelled out (the octets need not be a working curve: clients stop at the form)."""
    field_id = forge.seq(forge.oid("1.2.840.10045.1.1"), forge.integer(2**256 - 2**224 + 2**192 + 2**96 - 1))
    a = (2**256 - 2**224 + 2**192 + 2**96 - 4).to_bytes(32, "big")
    b = bytes.fromhex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")
    base = bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    curve = forge.seq(
        forge.integer(1), field_id, forge.seq(forge.octets(a), forge.octets(b)), forge.octets(base), forge.integer(order),
        forge.integer(1),
    )
    return forge.seq(forge.seq(forge.oid("1.2.840.10045.2.1"), curve), forge.bits(forge.key_octets(forge.key("leaf"))))
