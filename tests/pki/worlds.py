"""Chains with faults by name: a sound world, one or more changes to it, and the certificates that come out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pki import forge
from pki.forge import DAY, NOW, Extension, Spec

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
        anchors = (built[self.anchor_at],) if self.trusted else (other_root().signed_by(other_root()),)
        return Case(tuple(self.send(built)), (*anchors, *self.more_anchors), self.name, self.at)

    def ca(self, change: Callable[[Spec], Spec]) -> "World":
        return replace(self, cas=(change(self.cas[0]), *self.cas[1:]))


def other_root() -> Spec:
    return forge.root_spec("Other Root")


def sound(kind: str = "P-256", depth: int = 1) -> World:
    cas = tuple(forge.ca_spec("Int" if index == 0 else f"Int{index}", kind) for index in range(depth))
    return World(forge.leaf_spec(kind=kind), cas, forge.root_spec(kind=kind))


def _leaf(**fields: object) -> Change:
    return lambda world: replace(world, leaf=replace(world.leaf, **fields))


def _leaf_ext(*extensions: Extension) -> Change:
    return lambda world: replace(world, leaf=world.leaf.with_(*extensions))


def _leaf_without(*kinds: str) -> Change:
    return lambda world: replace(world, leaf=world.leaf.without(*kinds))


def _ca(**fields: object) -> Change:
    return lambda world: world.ca(lambda spec: replace(spec, **fields))


def _ca_ext(*extensions: Extension) -> Change:
    return lambda world: world.ca(lambda spec: spec.with_(*extensions))


def _ca_without(*kinds: str) -> Change:
    return lambda world: world.ca(lambda spec: spec.without(*kinds))


def _root(**fields: object) -> Change:
    return lambda world: replace(world, root=replace(world.root, **fields))


def _root_ext(*extensions: Extension) -> Change:
    return lambda world: replace(world, root=world.root.with_(*extensions))


def _root_without(*kinds: str) -> Change:
    return lambda world: replace(world, root=world.root.without(*kinds))


def _named(asked: str, *names: str | bytes) -> Change:
    return lambda world: replace(_leaf_ext(forge.san(*names))(world), name=asked)


def _sent(change: Callable[[list[bytes]], Sequence[bytes]]) -> Change:
    return lambda world: replace(world, send=lambda built: list(change(built)))


def _two_cas(upper: Spec, lower: Spec) -> Change:
    return lambda world: replace(world, cas=(lower, upper))


def _self_signed(world: World) -> World:
    return replace(world, self_signed=True, trusted=False)


def _explicit_curve() -> bytes:
    """A P-256 key whose curve is spelled out (the octets need not be a working curve: clients stop at the form)."""
    field_id = forge.seq(forge.oid("1.2.840.10045.1.1"), forge.integer(2**256 - 2**224 + 2**192 + 2**96 - 1))
    a = (2**256 - 2**224 + 2**192 + 2**96 - 4).to_bytes(32, "big")
    b = bytes.fromhex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")
    base = bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    curve = forge.seq(
        forge.integer(1), field_id, forge.seq(forge.octets(a), forge.octets(b)), forge.octets(base), forge.integer(order), forge.integer(1)
    )
    return forge.seq(forge.seq(forge.oid("1.2.840.10045.2.1"), curve), forge.bits(forge.key_octets(forge.key("leaf"))))


def _foreign_key_id(octets: bytes = b"\x09" * 20) -> bytes:
    return forge.seq(forge.tlv(0x80, octets))


def _issuer_and_serial(subject: bytes, serial: bytes) -> bytes:
    return forge.seq(forge.tlv(0xA1, forge.tlv(0xA4, subject)), forge.tlv(0x82, serial))


_GARBAGE = Extension(forge.SAN, b"\x30\x05\x82\x20ab")
_DNS = forge.general
_PERMIT_EXAMPLE = forge.constraints([_DNS("example.com")])

LEAF: dict[str, Change] = {
    "leaf-expired": _leaf(not_after=forge.time(NOW - DAY)),
    "leaf-future": _leaf(not_before=forge.time(NOW + DAY)),
    "leaf-first-second": lambda world: replace(world, leaf=replace(world.leaf, not_before=forge.time(world.at))),
    "leaf-last-second-but-one": lambda world: replace(world, leaf=replace(world.leaf, not_after=forge.time(world.at + timedelta(seconds=1)))),
    "leaf-over-by-one-second": lambda world: replace(world, leaf=replace(world.leaf, not_after=forge.time(world.at - timedelta(seconds=1)))),
    "leaf-generalized-time": _leaf(not_before=forge.generalized_time(NOW - DAY), not_after=forge.generalized_time(NOW + DAY)),
    "leaf-fractional-time": _leaf(not_after=forge.tlv(0x18, b"20300101000000.5Z")),
    "leaf-time-no-seconds": _leaf(not_after=forge.tlv(0x17, b"3001010000Z")),
    "leaf-time-offset": _leaf(not_after=forge.tlv(0x17, b"300101000000+0100")),
    "leaf-time-month-13": _leaf(not_after=forge.tlv(0x17, b"301301000000Z")),
    "leaf-2050": _leaf(not_after=forge.time(datetime(2051, 1, 1, tzinfo=NOW.tzinfo))),
    "wrong-name": _named("other.example.net", "www.example.com"),
    "upper-case-san": _named("www.example.com", "WWW.Example.COM"),
    "upper-case-asked": _named("WWW.EXAMPLE.COM", "www.example.com"),
    "wildcard": _named("a.example.com", "*.example.com"),
    "wildcard-two-labels": _named("a.b.example.com", "*.example.com"),
    "wildcard-apex": _named("example.com", "*.example.com"),
    "wildcard-inner": _named("a.b.example.com", "a.*.example.com"),
    "wildcard-tld": _named("example.com", "*.com"),
    "wildcard-bare": _named("localhost", "*"),
    "wildcard-double": _named("a.b.example.com", "*.*.example.com"),
    "wildcard-alabel": _named("xn--bcher-kva.example.com", "*.example.com"),
    "wildcard-partial": _named("bar.example.com", "ba*.example.com"),
    "wildcard-underscore": _named("a_b.example.com", "*.example.com"),
    "underscore": _named("_dmarc.example.com", "_dmarc.example.com"),
    "final-dot-asked": _named("www.example.com.", "www.example.com"),
    "final-dot-san": _named("www.example.com", "www.example.com."),
    "alabel": _named("xn--bcher-kva.example", "xn--bcher-kva.example"),
    "utf8-san": _named("xn--bcher-kva.example", forge.general("bücher.example", 0x82)),
    "ip4": _named("192.0.2.1", "192.0.2.1"),
    "ip4-other": _named("192.0.2.1", "192.0.2.2"),
    "ip6": _named("2001:db8::1", "2001:db8:0:0::1"),
    "ip-as-dns": _named("192.0.2.1", forge.general("192.0.2.1", 0x82)),
    "ip-mapped": _named("::ffff:192.0.2.1", "192.0.2.1"),
    "many-sans": _named("h150.example.com", *(f"h{number}.example.com" for number in range(200))),
    "san-empty": _leaf_ext(forge.san()),
    "san-only-mail": _leaf_ext(forge.san("a@example.com")),
    "san-none": _leaf_without(forge.SAN),
    "san-critical": _leaf_ext(forge.san("www.example.com", critical=True)),
    "san-garbage": _leaf_ext(_GARBAGE),
    "san-twice": lambda world: replace(world, leaf=replace(world.leaf, extensions=(*world.leaf.extensions, forge.san("x.example.com")))),
    "empty-subject": _leaf(subject=forge.seq()),
    "eku-client": _leaf_ext(forge.eku(forge.CLIENT)),
    "eku-any": _leaf_ext(forge.eku(forge.ANY)),
    "eku-any-and-server": _leaf_ext(forge.eku(forge.ANY, forge.SERVER)),
    "eku-both": _leaf_ext(forge.eku(forge.CLIENT, forge.SERVER)),
    "eku-none": _leaf_without(forge.EKU),
    "eku-empty": _leaf_ext(forge.eku()),
    "eku-sgc": _leaf_ext(forge.eku(forge.SGC)),
    "eku-critical": _leaf_ext(replace(forge.eku(forge.SERVER), critical=True)),
    "ku-none": _leaf_without(forge.USAGE),
    "ku-crl-sign": _leaf_ext(forge.usage(0x02)),
    "ku-agreement": _leaf_ext(forge.usage(0x08)),
    "ku-encipherment": _leaf_ext(forge.usage(0x20)),
    "netscape-client": _leaf_ext(Extension(forge.NETSCAPE, forge.bits(b"\x80", 7))),
    "netscape-server": _leaf_ext(Extension(forge.NETSCAPE, forge.bits(b"\x40", 6))),
    "ca-as-leaf": _leaf_ext(forge.basic(True), forge.usage(0x86)),
    "basic-none": _leaf_without(forge.BASIC),
    "basic-garbage": _leaf_ext(Extension(forge.BASIC, b"\x04\x00")),
    "basic-negative-pathlen": _leaf_ext(forge.basic(True, -1)),
    "unknown-critical": _leaf_ext(Extension(forge.UNKNOWN, forge.octets(b"x"), True)),
    "unknown-plain": _leaf_ext(Extension(forge.UNKNOWN, b"anything")),
    "aki-critical": lambda world: replace(
        world, leaf=replace(
            world.leaf.with_(Extension(forge.AKI, forge.seq(forge.tlv(0x80, forge.key_id(world.cas[0].private))), True)), aki=None
        )
    ),
    "ski-critical": lambda world: replace(
        world, leaf=replace(world.leaf.with_(Extension(forge.SKI, forge.octets(forge.key_id(world.leaf.private)), True)), ski=None)
    ),
    "policy-constraints-critical": _leaf_ext(Extension(forge.POLICY_CONSTRAINTS, forge.seq(forge.tlv(0x80, b"\0")), True)),
    "must-staple": _leaf_ext(Extension(forge.FEATURE, forge.seq(forge.integer(5)))),
    "leaf-name-constraints": _leaf_ext(_PERMIT_EXAMPLE),
    "v1": _leaf(version=1),
    "v2": _leaf(version=2),
    "v4": _leaf(version=4),
    "serial-negative": _leaf(serial=b"\xfe\x01"),
    "serial-zero": _leaf(serial=b"\0"),
    "serial-long": _leaf(serial=b"\x11" * 24),
    "leaf-no-aki": _leaf(aki=None),
    "leaf-no-ski": _leaf(ski=None),
    "aki-other-key": _leaf(aki=_foreign_key_id()),
    "aki-issuer-serial": lambda world: replace(world, leaf=replace(world.leaf, aki=_issuer_and_serial((*world.cas, world.root)[1].subject, b"\x02"))),
    "aki-other-serial": lambda world: replace(world, leaf=replace(world.leaf, aki=_issuer_and_serial((*world.cas, world.root)[1].subject, b"\x77"))),
    "aki-garbage": _leaf(aki=b"\x30\x05\x80"),
    "leaf-sha1": _leaf(digest="sha1"),
    "leaf-rsa1024": _leaf(private=forge.key("leaf", "RSA1024")),
    "leaf-rsa2048": _leaf(private=forge.key("leaf", "RSA2048")),
    "leaf-p384": _leaf(private=forge.key("leaf", "P-384")),
    "leaf-p224": _leaf(private=forge.key("leaf", "P-224")),
    "leaf-p192": _leaf(private=forge.key("leaf", "P-192")),
    "leaf-secp256k1": _leaf(private=forge.key("leaf", "secp256k1")),
    "leaf-ed25519": _leaf(private=forge.key("leaf", "Ed25519")),
    "leaf-dsa": _leaf(private=forge.key("leaf", "DSA")),
    "leaf-explicit-curve": _leaf(public=_explicit_curve()),
    "leaf-signature": _leaf(spoil=True),
    "leaf-algorithms-differ": _leaf(inner_algorithm=forge.seq(forge.oid(forge.SHA1_EC))),
    "leaf-issuer-case": lambda world: replace(world, leaf=replace(world.leaf, issuer=forge.name("FORGE  int", "forge"))),
    "leaf-issuer-printable": lambda world: replace(
        world, leaf=replace(world.leaf, issuer=forge.seq(forge.attribute("O", "Forge", 0x13), forge.attribute("CN", "Forge Int", 0x13)))
    ),
    "leaf-issuer-other": lambda world: replace(world, leaf=replace(world.leaf, issuer=forge.name("Nobody"))),
    "t61-subject": _leaf(subject=forge.seq(forge.attribute("CN", b"caf\xe9", 0x14))),
    "bad-utf8-subject": _leaf(subject=forge.seq(forge.attribute("CN", b"caf\xe9"))),
}

CA: dict[str, Change] = {
    "ca-expired": _ca(not_after=forge.time(NOW - DAY)),
    "ca-future": _ca(not_before=forge.time(NOW + DAY)),
    "ca-no-basic": _ca_without(forge.BASIC),
    "ca-false": _ca_ext(forge.basic(False)),
    "ca-no-certsign": _ca_ext(forge.usage(0x82)),
    "ca-no-usage": _ca_without(forge.USAGE),
    "ca-leaf-like": _ca_ext(forge.basic(False), forge.usage(0x80)),
    "ca-pathlen-0": _ca_ext(forge.basic(True, 0)),
    "ca-eku-client": _ca_ext(forge.eku(forge.CLIENT)),
    "ca-eku-server": _ca_ext(forge.eku(forge.SERVER)),
    "ca-eku-any": _ca_ext(forge.eku(forge.ANY)),
    "ca-unknown-critical": _ca_ext(Extension(forge.UNKNOWN, forge.octets(b"x"), True)),
    "ca-sha1": _ca(digest="sha1"),
    "ca-rsa1024": _ca(private=forge.key("Int", "RSA1024")),
    "ca-rsa2048": _ca(private=forge.key("Int", "RSA2048")),
    "ca-ed25519": _ca(private=forge.key("Int", "Ed25519")),
    "ca-v1": _ca(version=1),
    "ca-no-aki": _ca(aki=None),
    "ca-no-ski": _ca(ski=None),
    "ca-signature": _ca(spoil=True),
    "ca-explicit-curve": _ca(public=_explicit_curve(), ski=forge.key_id(forge.key("Int"))),
    "ca-empty-subject": _ca(subject=forge.seq()),
    "ca-serial-zero": _ca(serial=b"\0"),
    "ca-time-offset": _ca(not_after=forge.tlv(0x17, b"300101000000+0100")),
    "ca-policy-constraints": _ca_ext(Extension(forge.POLICY_CONSTRAINTS, forge.seq(forge.tlv(0x80, b"\0")), True)),
    "nc-permitted-ok": _ca_ext(_PERMIT_EXAMPLE),
    "nc-permitted-other": _ca_ext(forge.constraints([_DNS("example.net")])),
    "nc-excluded": _ca_ext(forge.constraints([], [_DNS("example.com")])),
    "nc-excluded-other": _ca_ext(forge.constraints([], [_DNS("example.net")])),
    "nc-leading-dot": _ca_ext(forge.constraints([_DNS(".example.com")])),
    "nc-suffix-no-dot": _ca_ext(forge.constraints([_DNS("ample.com")])),
    "nc-empty-permitted": _ca_ext(forge.constraints([forge.general("", 0x82)])),
    "nc-empty-excluded": _ca_ext(forge.constraints([], [forge.general("", 0x82)])),
    "nc-case": _ca_ext(forge.constraints([_DNS("EXAMPLE.com")])),
    "nc-exact-host": _ca_ext(forge.constraints([_DNS("www.example.com")])),
    "nc-ip-only": _ca_ext(forge.constraints([forge.general(bytes([192, 0, 2, 0, 255, 255, 255, 0]), 0x87)])),
    "nc-ip-excluded-all": _ca_ext(forge.constraints([], [forge.general(bytes(8), 0x87)])),
    "nc-ip6": _ca_ext(forge.constraints([forge.general(bytes([0x20, 1, 0x0D, 0xB8]) + bytes(12) + b"\xff" * 4 + bytes(12), 0x87)])),
    "nc-ip-bad-length": _ca_ext(forge.constraints([forge.general(bytes(5), 0x87)])),
    "nc-directory-ok": _ca_ext(forge.constraints([forge.tlv(0xA4, forge.seq(forge.attribute("O", "forge")))])),
    "nc-directory-other": _ca_ext(forge.constraints([forge.tlv(0xA4, forge.seq(forge.attribute("O", "Others")))])),
    "nc-directory-excluded": _ca_ext(forge.constraints([], [forge.tlv(0xA4, forge.seq(forge.attribute("O", "Forge")))])),
    "nc-mail-host": _ca_ext(forge.constraints([forge.general("example.com", 0x81)])),
    "nc-mail-excluded": _ca_ext(forge.constraints([], [forge.general(".example.com", 0x81)])),
    "nc-minimum": _ca_ext(Extension(forge.NC, forge.seq(forge.tlv(0xA0, forge.seq(_DNS("example.com"), forge.tlv(0x80, b"\x01")))), True)),
    "nc-other-kind": _ca_ext(forge.constraints([forge.general(b"\x2a\x03", 0x88)])),
    "nc-not-critical": _ca_ext(replace(forge.constraints([_DNS("example.net")]), critical=False)),
    "nc-garbage": _ca_ext(Extension(forge.NC, b"\x30\x02\xa0\x05", True)),
    "nc-empty": _ca_ext(Extension(forge.NC, b"\x30\x00", True)),
    "two-cas": lambda world: _two_cas(forge.ca_spec("Upper"), world.cas[0])(world),
    "two-cas-pathlen-0": lambda world: _two_cas(forge.ca_spec("Upper").with_(forge.basic(True, 0)), world.cas[0])(world),
    "two-cas-pathlen-1": lambda world: _two_cas(forge.ca_spec("Upper").with_(forge.basic(True, 1)), world.cas[0])(world),
    "two-cas-self-issued": lambda world: _two_cas(
        replace(forge.ca_spec("Int-old"), subject=world.cas[0].subject).with_(forge.basic(True, 0)), world.cas[0]
    )(world),
    "two-cas-upper-client": lambda world: _two_cas(forge.ca_spec("Upper").with_(forge.eku(forge.CLIENT)), world.cas[0])(world),
    "two-cas-upper-expired": lambda world: _two_cas(replace(forge.ca_spec("Upper"), not_after=forge.time(NOW - DAY)), world.cas[0])(world),
    "two-cas-upper-nc": lambda world: _two_cas(forge.ca_spec("Upper").with_(forge.constraints([_DNS("example.net")])), world.cas[0])(world),
}

ROOT: dict[str, Change] = {
    "root-expired": _root(not_after=forge.time(NOW - DAY)),
    "root-future": _root(not_before=forge.time(NOW + DAY)),
    "root-v1": _root(version=1),
    "root-no-basic": _root_without(forge.BASIC),
    "root-no-extensions": _root_without(forge.BASIC, forge.USAGE),
    "root-false": _root_ext(forge.basic(False)),
    "root-no-certsign": _root_ext(forge.usage(0x80)),
    "root-no-usage": _root_without(forge.USAGE),
    "root-pathlen-0": _root_ext(forge.basic(True, 0)),
    "root-pathlen-1": _root_ext(forge.basic(True, 1)),
    "root-sha1": _root(digest="sha1"),
    "root-rsa1024": _root(private=forge.key("Root", "RSA1024")),
    "root-rsa2048": _root(private=forge.key("Root", "RSA2048")),
    "root-unknown-critical": _root_ext(Extension(forge.UNKNOWN, forge.octets(b"x"), True)),
    "root-eku-client": _root_ext(forge.eku(forge.CLIENT)),
    "root-nc-other": _root_ext(forge.constraints([_DNS("example.net")])),
    "root-nc-ok": _root_ext(_PERMIT_EXAMPLE),
    "root-signature": _root(spoil=True),
    "root-no-ids": _root(aki=None, ski=None),
    "untrusted": lambda world: replace(world, trusted=False),
    "untrusted-sent": lambda world: replace(world, trusted=False, send=lambda built: built),
}

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
    "self-signed-ca-trusted": lambda world: _leaf_ext(forge.basic(True), forge.usage(0x86))(replace(world, self_signed=True)),
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

CHANGES: dict[str, Change] = {**LEAF, **CA, **ROOT, **SENDING, **TOPOLOGY}


def make(*changes: str, kind: str = "P-256") -> Case:
    """The sound world with these changes applied in order."""
    world = sound(kind)
    for change in changes:
        world = CHANGES[change](world)
    return world.build()
