"""Changes to intermediates and to the root."""

from dataclasses import replace

from pki import forge
from pki.forge import DAY, NOW, Extension, Spec
from pki.worlds import Change, explicit_curve


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


def _two_cas(upper: Spec, lower: Spec) -> Change:
    return lambda world: replace(world, cas=(lower, upper))




_PERMIT_EXAMPLE = forge.constraints([forge.general("example.com")])


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
    "ca-explicit-curve": _ca(public=explicit_curve(), ski=forge.key_id(forge.key("Int"))),
    "ca-empty-subject": _ca(subject=forge.seq()),
    "ca-serial-zero": _ca(serial=b"\0"),
    "ca-time-offset": _ca(not_after=forge.tlv(0x17, b"300101000000+0100")),
    "ca-policy-constraints": _ca_ext(Extension(forge.POLICY_CONSTRAINTS, forge.seq(forge.tlv(0x80, b"\0")), True)),
    "nc-permitted-ok": _ca_ext(_PERMIT_EXAMPLE),
    "nc-permitted-other": _ca_ext(forge.constraints([forge.general("example.net")])),
    "nc-excluded": _ca_ext(forge.constraints([], [forge.general("example.com")])),
    "nc-excluded-other": _ca_ext(forge.constraints([], [forge.general("example.net")])),
    "nc-leading-dot": _ca_ext(forge.constraints([forge.general(".example.com")])),
    "nc-suffix-no-dot": _ca_ext(forge.constraints([forge.general("ample.com")])),
    "nc-empty-permitted": _ca_ext(forge.constraints([forge.general("", 0x82)])),
    "nc-empty-excluded": _ca_ext(forge.constraints([], [forge.general("", 0x82)])),
    "nc-case": _ca_ext(forge.constraints([forge.general("EXAMPLE.com")])),
    "nc-exact-host": _ca_ext(forge.constraints([forge.general("www.example.com")])),
    "nc-ip-only": _ca_ext(forge.constraints([forge.general(bytes([192, 0, 2, 0, 255, 255, 255, 0]), 0x87)])),
    "nc-ip-excluded-all": _ca_ext(forge.constraints([], [forge.general(bytes(8), 0x87)])),
    "nc-ip6": _ca_ext(forge.constraints([forge.general(b"\x20\x01\x0d\xb8" + bytes(12) + b"\xff" * 4 + bytes(12), 0x87)])),
    "nc-ip-bad-length": _ca_ext(forge.constraints([forge.general(bytes(5), 0x87)])),
    "nc-directory-ok": _ca_ext(forge.constraints([forge.tlv(0xA4, forge.seq(forge.attribute("O", "forge")))])),
    "nc-directory-other": _ca_ext(forge.constraints([forge.tlv(0xA4, forge.seq(forge.attribute("O", "Others")))])),
    "nc-directory-excluded": _ca_ext(forge.constraints([], [forge.tlv(0xA4, forge.seq(forge.attribute("O", "Forge")))])),
    "nc-mail-host": _ca_ext(forge.constraints([forge.general("example.com", 0x81)])),
    "nc-mail-excluded": _ca_ext(forge.constraints([], [forge.general(".example.com", 0x81)])),
    "nc-minimum": _ca_ext(
        Extension(forge.NC, forge.seq(forge.tlv(0xA0, forge.seq(forge.general("example.com"), forge.tlv(0x80, b"\x01")))), True)
    ),
    "nc-other-kind": _ca_ext(forge.constraints([forge.general(b"\x2a\x03", 0x88)])),
    "nc-not-critical": _ca_ext(replace(forge.constraints([forge.general("example.net")]), critical=False)),
    "nc-garbage": _ca_ext(Extension(forge.NC, b"\x30\x02\xa0\x05", True)),
    "nc-empty": _ca_ext(Extension(forge.NC, b"\x30\x00", True)),
    "two-cas": lambda world: _two_cas(forge.ca_spec("Upper"), world.cas[0])(world),
    "two-cas-pathlen-0": lambda world: _two_cas(forge.ca_spec("Upper").with_(forge.basic(True, 0)), world.cas[0])(world),
    "two-cas-pathlen-1": lambda world: _two_cas(forge.ca_spec("Upper").with_(forge.basic(True, 1)), world.cas[0])(world),
    "two-cas-self-issued": lambda world: _two_cas(
        replace(forge.ca_spec("Int-old"), subject=world.cas[0].subject).with_(forge.basic(True, 0)), world.cas[0]
    )(world),
    "two-cas-upper-client": lambda world: _two_cas(forge.ca_spec("Upper").with_(forge.eku(forge.CLIENT)), world.cas[0])(world),
    "two-cas-upper-expired": lambda world: _two_cas(
        replace(forge.ca_spec("Upper"), not_after=forge.time(NOW - DAY)), world.cas[0]
    )(world),
    "two-cas-upper-nc": lambda world: _two_cas(
        forge.ca_spec("Upper").with_(forge.constraints([forge.general("example.net")])), world.cas[0]
    )(world),
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
    "root-nc-other": _root_ext(forge.constraints([forge.general("example.net")])),
    "root-nc-ok": _root_ext(_PERMIT_EXAMPLE),
    "root-signature": _root(spoil=True),
    "root-algorithms-differ": _root(inner_algorithm=forge.seq(forge.oid(forge.SHA1_EC))),
    "root-basic-not-critical": _root_ext(replace(forge.basic(True), critical=False)),
    "root-empty-subject": _root(subject=forge.seq()),
    "root-tail": _root(tail=b"\0"),
    "root-serial-zero": _root(serial=b"\0"),
    "root-time-offset": _root(not_after=forge.tlv(0x17, b"300101000000+0100")),
    "root-garbage": _root_ext(Extension(forge.NC, b"\x30\x02\xa0\x05", True)),
    "root-no-ids": _root(aki=None, ski=None),
    "untrusted": lambda world: replace(world, trusted=False),
    "untrusted-sent": lambda world: replace(world, trusted=False, send=lambda built: built),
}
