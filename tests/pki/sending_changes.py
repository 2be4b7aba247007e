"""Changes to what is sent and trusted: order, omissions, extras, cross-signed certificates."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pki import forge
from pki.forge import DAY, NOW, Spec
from pki.worlds import Change, World, other_root


def _sent(change: Callable[[list[bytes]], Sequence[bytes]]) -> Change:
    return lambda world: replace(world, send=lambda built: list(change(built)))


def _self_signed(world: World) -> World:
    return replace(world, self_signed=True, trusted=False)


SENDING: dict[str, Change] = {
    "missing-intermediate": _sent(lambda built: built[:1]),
    "root-included": _sent(lambda built: built),
    "root-before-intermediate": _sent(lambda built: [built[0], *reversed(built[1:])]),
    "duplicates": _sent(lambda built: [built[0], *built[1:-1], *built[1:-1], built[0]]),
    "extra": _sent(lambda built: [*built[:-1], other_root().signed_by(other_root())]),
    "extra-expired": _sent(
        lambda built: [*built[:-1], replace(other_root(), not_after=forge.time(NOW - DAY)).signed_by(other_root())]
    ),
    "wrong-intermediate": _sent(lambda built: [built[0], forge.ca_spec("Wrong").signed_by(forge.root_spec())]),
    "same-name-other-key": _sent(
        lambda built: [built[0], replace(forge.ca_spec("Imposter"), subject=forge.ca_spec().subject).signed_by(forge.root_spec())]
    ),
    "self-signed": _self_signed,
    "self-signed-trusted": lambda world: replace(world, self_signed=True),
    "self-signed-ca-trusted": lambda world: replace(
        world, self_signed=True, leaf=world.leaf.with_(forge.basic(True), forge.usage(0x86))
    ),
    "anchor-sent-twice": _sent(lambda built: [*built, built[-1]]),
}


def _with_other_issuer(other: Callable[[World], bytes], front: bool = False) -> Change:
    """Another certificate for the intermediate's subject and key is sent, before or after the usual one."""

    def change(world: World) -> World:
        extra = other(world)
        return replace(world, send=lambda built: [built[0], extra, *built[1:-1]] if front else [*built[:-1], extra])

    return change


def _cross(world: World, **fields: object) -> bytes:
    return replace(world.cas[0], serial=b"\x55", **fields).signed_by(other_root())


def _eleven(world: World) -> World:
    return replace(world, cas=tuple(forge.ca_spec("Int" if index == 0 else f"Deep{index}") for index in range(11)))


def _rival(world: World) -> Spec:
    """A CA with the intermediate's name and another key, without key identifiers to tell them apart."""
    return replace(forge.ca_spec("Rival"), subject=world.cas[0].subject, ski=None)


def _mute_leaf(world: World) -> World:
    return replace(world, leaf=replace(world.leaf, aki=None))


TOPOLOGY: dict[str, Change] = {
    "cross-signed": _with_other_issuer(_cross),
    "cross-signed-first": _with_other_issuer(_cross, front=True),
    "cross-signed-expired": _with_other_issuer(lambda world: _cross(world, not_after=forge.time(NOW - DAY)), front=True),
    "cross-signed-both-trusted": lambda world: replace(
        _with_other_issuer(_cross, front=True)(world), more_anchors=(other_root().signed_by(other_root()),)
    ),
    "renewed-intermediate": _with_other_issuer(
        lambda world: replace(world.cas[0], serial=b"\x56", not_after=forge.time(NOW - DAY)).signed_by(world.root), front=True
    ),
    "only-cross-root-trusted": lambda world: replace(
        _with_other_issuer(_cross)(world), trusted=False
    ),
    "rival-intermediate": lambda world: replace(
        _mute_leaf(world), send=lambda built: [built[0], _rival(world).signed_by(world.root), *built[1:-1]]
    ),
    "rival-anchor": lambda world: replace(
        world, cas=(replace(world.cas[0], aki=None), *world.cas[1:]),
        more_anchors=(replace(forge.root_spec("Rival Root"), subject=world.root.subject, ski=None, aki=None).signed_by(
            replace(forge.root_spec("Rival Root"), subject=world.root.subject, ski=None, aki=None)),),
    ),
    "renewed-root-sent": lambda world: replace(
        world, send=lambda built: [*built[:-1], replace(world.root, serial=b"\x57").signed_by(world.root)]
    ),
    "expired-anchor-beside": lambda world: replace(
        world, more_anchors=(replace(world.root, serial=b"\x58", not_after=forge.time(NOW - DAY)).signed_by(world.root),)
    ),
    "anchor-intermediate": lambda world: replace(world, anchor_at=1),
    "anchor-leaf": lambda world: replace(world, anchor_at=0),
    "eleven-intermediates": _eleven,
    "leaf-last-second": lambda world: replace(world, leaf=replace(world.leaf, not_after=forge.time(world.at))),
}
