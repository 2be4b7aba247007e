"""TLS alert descriptions by number (RFC 8446 6, RFC 5246 7.2, RFC 6101 and the IANA registry)."""

NAMES = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
    30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate",
    43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
    47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error",
    52: "too_many_cids_requested", 60: "export_restriction", 70: "protocol_version", 71: "insufficient_security",
    80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
    110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
    113: "bad_certificate_status_response", 114: "bad_certificate_hash_value", 115: "unknown_psk_identity",
    116: "certificate_required", 120: "no_application_protocol", 121: "ech_required",
}
FATAL = 2
CLOSE_NOTIFY = 0
PROTOCOL_VERSION = 70
INSUFFICIENT_SECURITY = 71
UNRECOGNIZED_NAME = 112
CLIENT_REFUSED = frozenset({40, 41, 42, 43, 46, 48, 49, 116})
"""What a server says that will not go on without a (better) client certificate."""


def describe(alert: tuple[int, int]) -> str:
    """``fatal alert handshake_failure (40)``."""
    level, number = alert
    strength = "fatal" if level == FATAL else "warning" if level == 1 else f"level-{level}"
    return f"{strength} alert {NAMES.get(number, 'unknown')} ({number})"
