"""The client's half of the TLS 1.3 key schedule, as far as reading the server's first flight needs it (RFC 8446 7.1, 7.3).

One key pair per process and group serves for all hellos: a fresh one each time would be half of a handshake's cost here, and
nothing is kept secret by it, since we never send a word under these keys and what we read is shown to anybody who asks.
"""

import hmac
from functools import lru_cache
from hashlib import sha256, sha384

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

X25519, P256 = 29, 23
_Aead = type[AESGCM] | type[ChaCha20Poly1305]
_SUITES: dict[int, tuple[int, str, _Aead]] = {
    0x1301: (16, "sha256", AESGCM), 0x1302: (32, "sha384", AESGCM), 0x1303: (32, "sha256", ChaCha20Poly1305),
}
SUITES = (0x1302, 0x1303, 0x1301)
"""What :class:`Opener` can read, in the order a current client offers it."""
_HASHES = {"sha256": sha256, "sha384": sha384}


class Opener:
    """The server's handshake records under one traffic secret (RFC 8446 5.2, 7.3)."""

    def __init__(self, cipher: int, secret: bytes) -> None:
        size, digest, aead = _SUITES[cipher]
        self._aead = aead(_expand_label(digest, secret, b"key", b"", size))
        self._iv = int.from_bytes(_expand_label(digest, secret, b"iv", b"", 12))
        self._sequence = 0

    def open(self, header: bytes, body: bytes) -> tuple[int, bytes] | None:
        """(content type, content), or None for a record under other keys."""
        nonce = (self._iv ^ self._sequence).to_bytes(12)
        try:
            inner = self._aead.decrypt(nonce, body, header).rstrip(b"\0")
        except InvalidTag:
            return None
        self._sequence += 1
        return (inner[-1], inner[:-1]) if inner else None


class KeyShares:
    """The key pairs of this process; ``public`` is (group, key share) of each."""

    def __init__(self) -> None:
        self._x25519 = X25519PrivateKey.generate()
        self._p256 = generate_private_key(SECP256R1())
        point = self._p256.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = ((X25519, self._x25519.public_key().public_bytes_raw()), (P256, point))

    def opener(self, cipher: int, group: int, share: bytes, transcript: bytes) -> Opener | None:
        """For a server that chose ``cipher`` and ``group``. ``transcript`` is ClientHello and ServerHello without record headers.

        None where that is nothing we can compute: another group, or a share that is no point of it.
        """
        if cipher not in _SUITES:
            return None
        digest = _SUITES[cipher][1]
        try:
            if group == X25519:
                common = self._x25519.exchange(X25519PublicKey.from_public_bytes(share))
            elif group == P256:
                common = self._p256.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), share))
            else:
                return None
        except ValueError:
            return None
        secret = hmac.digest(_before(digest), common, digest)
        return Opener(cipher, _expand_label(digest, secret, b"s hs traffic", _HASHES[digest](transcript).digest()))


def _expand_label(digest: str, secret: bytes, label: bytes, context: bytes, size: int = 0) -> bytes:
    """HKDF-Expand-Label; never more than one block of the hash, which is also the default ``size``."""
    size = size or _HASHES[digest]().digest_size
    info = size.to_bytes(2) + bytes([len(label) + 6]) + b"tls13 " + label + bytes([len(context)]) + context + b"\x01"
    return hmac.digest(secret, info, digest)[:size]


@lru_cache(maxsize=2)
def _before(digest: str) -> bytes:
    """What goes into the handshake secret of every handshake without a pre-shared key: Derive-Secret(early, "derived", "")."""
    zeros = bytes(_HASHES[digest]().digest_size)
    return _expand_label(digest, hmac.digest(zeros, zeros, digest), b"derived", _HASHES[digest]().digest())
