"""The detached signature of a list: RSA PKCS #1 v1.5 with SHA-256 over the octets as published, as Google makes it."""

from functools import lru_cache
from importlib import resources

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

MAX_SIGNATURE, MAX_KEY = 4096, 16384


@lru_cache(maxsize=1)
def google_key() -> bytes:
    """Google's public key (PEM), from https://www.gstatic.com/ct/log_list/v3/log_list_pubkey.pem as of 2026-01."""
    return resources.files("dnscertscan.ct").joinpath("data", "google_log_list_key.pem").read_bytes()


def signature_problem(raw: bytes, signature: bytes, key: bytes) -> str:
    """Why ``signature`` is not by ``key`` (PEM) over ``raw``; empty when it is."""
    try:
        loaded = load_pem_public_key(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "the key is no public key in PEM"
    if not isinstance(loaded, rsa.RSAPublicKey) or loaded.key_size < 2048:
        return "the key is no RSA key of at least 2048 bits"
    try:
        loaded.verify(signature, raw, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return f"the signature ({len(signature)} octets) is not by this key over this list"
    return ""
