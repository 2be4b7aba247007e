"""A certificate authority for the demonstration fleet and the tests: real keys, real signatures, any fault on request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Amend = Callable[[x509.CertificateBuilder], x509.CertificateBuilder]


def new_key(kind: str = "ec") -> Key:
    """A private key: ``ec`` (P-256), ``ec384``, or ``rsa`` with its size, ``rsa2048``."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:] or 2048))
    return ec.generate_private_key(ec.SECP384R1() if kind == "ec384" else ec.SECP256R1())


def distinguished_name(common_name: str) -> x509.Name:
    """A name with an organisation, as real authorities have."""
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Trust")]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate, its private key and the certificates a server should send after it (issuers, root excluded)."""

    certificate: x509.Certificate
    key: Key
    intermediates: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What a well configured server sends: this certificate, then its issuers up to but without the root."""
        return (self.certificate, *self.intermediates)

    @property
    def key_pem(self) -> bytes:
        """The private key, PKCS #8 PEM without password."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def chain_pem(self) -> bytes:
        """:attr:`chain` as concatenated PEM."""
        return pem(self.chain)


def pem(certificates: Sequence[x509.Certificate]) -> bytes:
    """Concatenated PEM of the certificates in the order given."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA that can issue. ``now`` is the moment its certificates are made for (aware UTC)."""

    credential: Credential
    now: datetime
    is_root: bool

    @classmethod
    def root(cls, common_name: str, *, now: datetime, key: str = "ec", days: int = 3650) -> "Authority":
        """A self-signed root that is valid from a year ago."""
        private = new_key(key)
        subject = distinguished_name(common_name)
        builder = _blank(private, subject, subject, now - timedelta(days=365), now + timedelta(days=days))
        builder = _as_ca(builder, private, private, path_length=None)
        return cls(Credential(builder.sign(private, hashes.SHA256()), private), now, is_root=True)

    @property
    def certificate(self) -> x509.Certificate:
        """The CA's own certificate."""
        return self.credential.certificate

    def _path(self) -> tuple[x509.Certificate, ...]:
        return () if self.is_root else self.credential.chain

    def intermediate(
        self, common_name: str, *, key: str = "ec", path_length: int | None = 0, not_before: datetime | None = None,
        not_after: datetime | None = None, amend: Amend | None = None,
    ) -> "Authority":
        """A subordinate CA signed by this one."""
        private = new_key(key)
        builder = _blank(
            private, distinguished_name(common_name), self.certificate.subject,
            not_before or self.now - timedelta(days=200), not_after or self.now + timedelta(days=1800),
        )
        builder = _as_ca(builder, private, self.credential.key, path_length)
        builder = amend(builder) if amend else builder
        certificate = builder.sign(self.credential.key, hashes.SHA256())
        return Authority(Credential(certificate, private, self._path()), self.now, is_root=False)

    def leaf(
        self, *names: str, key: str | Key = "ec", not_before: datetime | None = None, not_after: datetime | None = None,
        common_name: str | None = None, digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None,
        amend: Amend | None = None, purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.SERVER_AUTH,),
    ) -> Credential:
        """A server certificate for DNS names and IP addresses; ``amend`` may add extensions or faults before signing.

        ``purposes`` are the extended key usages; none leaves the extension out.
        """
        private = new_key(key) if isinstance(key, str) else key
        first = names[0] if common_name is None and names else common_name or ""
        builder = _blank(
            private, distinguished_name(first[:64]), self.certificate.subject,
            not_before or self.now - timedelta(days=10), not_after or self.now + timedelta(days=80),
        )
        builder = _as_server(builder, private, self.credential.key, names, purposes)
        builder = amend(builder) if amend else builder
        return Credential(builder.sign(self.credential.key, digest or hashes.SHA256()), private, self._path())


def self_signed(
    *names: str, now: datetime, key: str = "ec", not_before: datetime | None = None, not_after: datetime | None = None
) -> Credential:
    """A server certificate that is its own issuer."""
    private = new_key(key)
    subject = distinguished_name(names[0][:64])
    start, end = not_before or now - timedelta(days=10), not_after or now + timedelta(days=80)
    builder = _as_server(_blank(private, subject, subject, start, end), private, private, names)
    return Credential(builder.sign(private, hashes.SHA256()), private)


def _blank(key: Key, subject: x509.Name, issuer: x509.Name, start: datetime, end: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(start.astimezone(UTC)).not_valid_after(end.astimezone(UTC))
    )


def _identifiers(builder: x509.CertificateBuilder, key: Key, issuer_key: Key) -> x509.CertificateBuilder:
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(subject, critical=False).add_extension(authority, critical=False)


def _as_ca(builder: x509.CertificateBuilder, key: Key, issuer_key: Key, path_length: int | None) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    return _identifiers(builder.add_extension(usage, critical=True), key, issuer_key)


def _as_server(
    builder: x509.CertificateBuilder, key: Key, issuer_key: Key, names: Sequence[str],
    purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.SERVER_AUTH,),
) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=True, key_encipherment=isinstance(key, rsa.RSAPrivateKey), key_cert_sign=False, crl_sign=False,
        content_commitment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
    return _identifiers(builder, key, issuer_key)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
