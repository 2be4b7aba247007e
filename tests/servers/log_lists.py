"""Lists of CT logs of our own making: real keys, Google's or Apple's format, signed with a key of ours."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@cache
def signing_key(number: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def key_pem(number: int = 0) -> bytes:
    return signing_key(number).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign(raw: bytes, number: int = 0) -> bytes:
    return signing_key(number).sign(raw, padding.PKCS1v15(), hashes.SHA256())


def spki(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@cache
def log_key(number: int) -> bytes:
    """The public key of our log of that number."""
    return spki(ec.derive_private_key(1000 + number, ec.SECP256R1()))


def b64(octets: bytes) -> str:
    return b64encode(octets).decode()


def log_id(number: int) -> bytes:
    return sha256(log_key(number)).digest()


def entry(
    number: int, *, tiled: bool = False, status: str = "usable", since: str = "2026-01-01T00:00:00Z", **changed: Any
) -> dict[str, Any]:
    """One log in Google's format; ``changed`` replaces fields, None takes them away."""
    fields: dict[str, Any] = {
        "description": f"Log {number}", "log_id": b64(log_id(number)), "key": b64(log_key(number)), "mmd": 86400,
        "state": {status: {"timestamp": since}},
        "temporal_interval": {"start_inclusive": "2027-01-01T00:00:00Z", "end_exclusive": "2028-01-01T00:00:00Z"},
    }
    if tiled:
        urls = {"submission_url": f"https://log{number}.ct.test/", "monitoring_url": f"https://mon{number}.ct.test/"}
        fields |= {**urls, "mmd": 60}
    else:
        fields["url"] = f"https://ct.test/{number}/"
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def document(
    entries: list[dict[str, Any]], *, tiled: list[dict[str, Any]] | None = None, timestamp: str = "2027-02-20T12:00:00Z",
    **changed: Any,
) -> bytes:
    """A whole list of one operator in Google's format."""
    operator = {"name": "House", "email": ["ct@house.test"], "logs": entries, "tiled_logs": tiled or []}
    fields = {"version": "1.2", "log_list_timestamp": timestamp, "operators": [operator], **changed}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
