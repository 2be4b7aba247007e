"""A TLS 1.3 server that proves nothing: it shows a certificate list whose key it does not have (RFC 8446 4.4.3).

    with hostile.serve(tls13_liar.shows(chain)) as port: ...
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from servers.hostile import Behaviour, Visit, message, record


def _expand(secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    info = size.to_bytes(2) + bytes([6 + len(label)]) + b"tls13 " + label + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\x01", "sha256")[:size]


def _client_share(hello: bytes) -> bytes:
    at = hello.rindex(b"\x00\x1d\x00\x20") + 4  # x25519, 32 octets
    return hello[at : at + 32]


def shows(chain: Sequence[bytes], *, tamper: bool = False) -> Behaviour:
    """A whole first flight with a made-up signature; with ``tamper`` its records cannot be decrypted, either."""
    def behave(visit: Visit) -> None:
        hello = visit.hello()
        private = X25519PrivateKey.generate()
        share = private.public_key().public_bytes_raw()
        extensions = b"\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x24\x00\x1d\x00\x20" + share
        session = hello[44 : 44 + hello[43]]
        body = b"\x03\x03" + b"\x22" * 32 + bytes([len(session)]) + session + b"\x13\x01\0"
        server_hello = message(2, body + len(extensions).to_bytes(2) + extensions)
        empty = sha256(b"").digest()
        before = _expand(hmac.digest(bytes(32), bytes(32), "sha256"), b"derived", empty, 32)
        common = private.exchange(X25519PublicKey.from_public_bytes(_client_share(hello)))
        secret = hmac.digest(before, common, "sha256")
        traffic = _expand(secret, b"s hs traffic", sha256(hello[5:] + server_hello).digest(), 32)
        key, nonce = _expand(traffic, b"key", b"", 16), _expand(traffic, b"iv", b"", 12)
        entries = b"".join(len(der).to_bytes(3) + der + b"\0\0" for der in chain)
        inner = message(8, b"\0\0") + message(11, b"\0" + len(entries).to_bytes(3) + entries)
        inner += message(15, b"\x04\x03\x00\x40" + b"\x55" * 64) + message(20, bytes(32)) + b"\x16"
        header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2)
        sealed = AESGCM(key).encrypt(nonce, inner, header)
        visit.send(record(22, server_hello) + header + (bytes(len(sealed)) if tamper else sealed))
        visit.hello()

    return behave


def hello_retry(hello: bytes, group: int = 0x0018) -> bytes:
    """A HelloRetryRequest that answers ``hello`` and wants a key share of ``group`` (RFC 8446 4.1.4)."""
    extensions = b"\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x02" + group.to_bytes(2)
    session = hello[44 : 44 + hello[43]]
    asks = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    body = b"\x03\x03" + asks + bytes([len(session)]) + session + b"\x13\x01\0" + len(extensions).to_bytes(2) + extensions
    return record(22, message(2, body))


def hello_retries(visit: Visit) -> None:
    """Asks for another hello, twice, and waits."""
    for _ in range(2):
        if len(hello := visit.hello()) < 50:
            return  # the client has left
        visit.send(hello_retry(hello))
    visit.wait()
