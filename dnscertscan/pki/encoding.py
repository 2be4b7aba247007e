"""Where a certificate departs from RFC 5280 in ways that common clients overlook and strict ones do not."""

from collections.abc import Iterator

from dnscertscan.pki import extensions as ext
from dnscertscan.pki.dn import DistinguishedName
from dnscertscan.pki.extensions import Extensions


def encoding_quirks(
    version: int, serial: bytes, issuer: DistinguishedName, subject: DistinguishedName, extensions: Extensions
) -> Iterator[str]:
    """One text per departure."""
    if version not in (1, 2, 3):
        yield f"version {version} does not exist"
    elif version < 3 and extensions.present:
        yield f"version {version} with extensions, version 3 is due"
    if serial and serial[0] & 0x80:
        yield "serial number is negative"
    elif serial and not any(serial):
        yield "serial number is zero"
    if len(serial) > 20:
        yield f"serial number has {len(serial)} octets, at most 20 are allowed"
    if not issuer.key:
        yield "issuer is empty"
    yield from _names(subject, extensions)
    yield from _authority(subject, extensions)


def _names(subject: DistinguishedName, extensions: Extensions) -> Iterator[str]:
    """RFC 5280 4.2.1.6."""
    if extensions.alt_names is None:
        return
    critical = ext.ALT_NAME in extensions.critical
    if not subject.key and not critical:
        yield "subject is empty, so subjectAltName has to be critical"
    elif subject.key and critical:
        yield "subjectAltName is critical although there is a subject"


def _authority(subject: DistinguishedName, extensions: Extensions) -> Iterator[str]:
    """RFC 5280 4.1.2.6, 4.2.1.2, 4.2.1.3, 4.2.1.9, 4.2.1.10: what CA certificates must have and others must not."""
    basic, usage, constraints = extensions.basic, extensions.usage, extensions.constraints
    ca = basic is not None and basic.ca
    if ca and not subject.key:
        yield "subject of a CA is empty"
    if ca and ext.BASIC not in extensions.critical:
        yield "basicConstraints of a CA is not critical"
    if ca and ext.SUBJECT_KEY not in extensions.present:
        yield "CA without subjectKeyIdentifier"
    if basic is not None and not ca and basic.path_length is not None:
        yield "path length without CA:TRUE"
    if basic is not None and not ca and usage is not None and usage & ext.CERT_SIGN:
        yield "key usage keyCertSign without CA:TRUE"
    if constraints is not None:
        if not ca:
            yield "name constraints without CA:TRUE"
        if ext.NAME_CONSTRAINTS not in extensions.critical:
            yield "nameConstraints is not critical"
        if any(base.startswith(".") for base in (*constraints.permitted.dns, *constraints.excluded.dns)):
            yield "dNSName constraint with a leading dot"
