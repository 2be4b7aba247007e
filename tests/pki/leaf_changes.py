"""Changes to the leaf and to the name asked, each with the fault it makes."""

from dataclasses import replace
from datetime import datetime, timedelta

from pki import forge
from pki.forge import DAY, NOW, Extension
from pki.worlds import Change, explicit_curve

SECOND = timedelta(seconds=1)


def _leaf(**fields: object) -> Change:
    return lambda world: replace(world, leaf=replace(world.leaf, **fields))


def _leaf_ext(*extensions: Extension) -> Change:
    return lambda world: replace(world, leaf=world.leaf.with_(*extensions))


def _leaf_without(*kinds: str) -> Change:
    return lambda world: replace(world, leaf=world.leaf.without(*kinds))


def _named(asked: str, *names: str | bytes) -> Change:
    return lambda world: replace(_leaf_ext(forge.san(*names))(world), name=asked)


def _foreign_key_id(octets: bytes = b"\x09" * 20) -> bytes:
    return forge.seq(forge.tlv(0x80, octets))


def _issuer_and_serial(subject: bytes, serial: bytes) -> bytes:
    return forge.seq(forge.tlv(0xA1, forge.tlv(0xA4, subject)), forge.tlv(0x82, serial))


_GARBAGE = Extension(forge.SAN, b"\x30\x05\x82\x20ab")


_PERMIT_EXAMPLE = forge.constraints([forge.general("example.com")])


LEAF: dict[str, Change] = {
    "leaf-expired": _leaf(not_after=forge.time(NOW - DAY)),
    "leaf-future": _leaf(not_before=forge.time(NOW + DAY)),
    "leaf-first-second": lambda world: replace(world, leaf=replace(world.leaf, not_before=forge.time(world.at))),
    "leaf-last-second-but-one": _leaf(not_after=forge.time(NOW + SECOND)),
    "leaf-over-by-one-second": _leaf(not_after=forge.time(NOW - SECOND)),
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
    "san-twice": lambda world: _leaf(extensions=(*world.leaf.extensions, forge.san("x.example.com")))(world),
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
    "unknown-twice": lambda world: _leaf(
        extensions=(*world.leaf.extensions, Extension(forge.UNKNOWN, b"one"), Extension(forge.UNKNOWN, b"two"))
    )(world),
    "info-access-garbage": _leaf_ext(Extension("1.3.6.1.5.5.7.1.1", b"malformed")),
    "leaf-certsign-without-ca": _leaf_ext(forge.usage(0x84)),
    "leaf-pathlen-without-ca": _leaf_ext(forge.basic(False, 0)),
    "leaf-ca-pathlen-0": _leaf_ext(forge.basic(True, 0), forge.usage(0x86)),
    "leaf-empty-issuer": _leaf(issuer=forge.seq()),
    "leaf-rsa2047": _leaf(private=forge.key("leaf", "RSA2047")),
    "leaf-rsa2052": _leaf(private=forge.key("leaf", "RSA2052")),
    "leaf-p521": _leaf(private=forge.key("leaf", "P-521")),
    "leaf-dates-swapped": _leaf(not_before=forge.time(NOW + DAY), not_after=forge.time(NOW - DAY)),
    "leaf-year-0000": _leaf(not_before=forge.tlv(0x18, b"00000101000000Z")),
    "leaf-no-expiry": _leaf(not_after=forge.tlv(0x18, b"99991231235959Z")),
    "leaf-tail": _leaf(tail=b"\0"),
    "leaf-issuer-utf8-case": _leaf(issuer=forge.seq(forge.attribute("O", "FORGE"), forge.attribute("CN", " forge   INT "))),
    "san-ip-five-octets": _named("www.example.com", "www.example.com", forge.general(b"\1\2\3\4\5", 0x87)),
    "san-with-nul": _named("www.example.com", forge.general(b"www.example.com\0.evil.test", 0x82)),
    "san-other-name": _named(
        "www.example.com", "www.example.com", forge.tlv(0xA0, forge.oid("1.2.3"), forge.tlv(0xA0, forge.tlv(12, b"x")))
    ),
    "san-unknown-kind": _named("www.example.com", "www.example.com", forge.tlv(0x8B, b"x")),
    "unknown-plain": _leaf_ext(Extension(forge.UNKNOWN, b"anything")),
    "aki-critical": lambda world: replace(
        world, leaf=replace(
            world.leaf.with_(Extension(forge.AKI, forge.seq(forge.tlv(0x80, forge.key_id(world.cas[0].private))), True)), aki=None
        )
    ),
    "ski-critical": lambda world: _leaf(ski=None)(
        _leaf_ext(Extension(forge.SKI, forge.octets(forge.key_id(world.leaf.private)), True))(world)
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
    "aki-issuer-serial": lambda world: _leaf(aki=_issuer_and_serial((*world.cas, world.root)[1].subject, b"\x02"))(world),
    "aki-other-serial": lambda world: _leaf(aki=_issuer_and_serial((*world.cas, world.root)[1].subject, b"\x77"))(world),
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
    "leaf-explicit-curve": _leaf(public=explicit_curve()),
    "leaf-signature": _leaf(spoil=True),
    "leaf-algorithms-differ": _leaf(inner_algorithm=forge.seq(forge.oid(forge.SHA1_EC))),
    "leaf-issuer-case": lambda world: replace(world, leaf=replace(world.leaf, issuer=forge.name("FORGE  int", "forge"))),
    "leaf-issuer-printable": _leaf(
        issuer=forge.seq(forge.attribute("O", "Forge", 0x13), forge.attribute("CN", "Forge Int", 0x13))
    ),
    "leaf-issuer-other": lambda world: replace(world, leaf=replace(world.leaf, issuer=forge.name("Nobody"))),
    "t61-subject": _leaf(subject=forge.seq(forge.attribute("CN", b"caf\xe9", 0x14))),
    "bad-utf8-subject": _leaf(subject=forge.seq(forge.attribute("CN", b"caf\xe9"))),
}
