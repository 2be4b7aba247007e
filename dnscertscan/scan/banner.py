"""What a peer that does not speak TLS speaks instead, told from its first octets."""

MAX_SHOWN = 80
_STARTS = (
    (b"HTTP/", "HTTP"), (b"SSH-", "SSH"), (b"* OK", "IMAP"), (b"* PREAUTH", "IMAP"), (b"* BYE", "IMAP"), (b"+OK", "POP3"),
    (b"-ERR", "POP3"), (b"RFB ", "VNC"), (b"<?xml", "XML (XMPP)"), (b"<stream:", "XMPP"), (b"<!DOCTYPE", "HTML without HTTP"),
    (b"<html", "HTML without HTTP"), (b"-DENIED", "Redis"), (b"@RSYNCD", "rsync"), (b"AMQP", "AMQP"), (b"ERROR\r\n", "memcached"),

)
_SMTP_CODES = (b"220", b"421", b"450", b"500", b"501", b"502", b"503", b"521", b"554")


def escaped(data: bytes, limit: int = MAX_SHOWN) -> str:
    """The first octets on one line; whatever is not printable ASCII as an escape."""
    named = {9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\"}
    shown = "".join(named.get(octet) or (chr(octet) if 32 <= octet < 127 else f"\\x{octet:02x}") for octet in data[:limit])
    return f"{shown}..." if len(data) > limit else shown


def looks_like_tls(data: bytes) -> bool:
    """Whether these first octets can begin a TLS record: a known type, then major version 3."""
    return data[:1] in (b"\x14", b"\x15", b"\x16", b"\x17") and data[1:2] in (b"", b"\x03")


def protocol(data: bytes) -> str:
    """The protocol's name, empty when the octets do not tell."""
    for start, known in _STARTS:
        if data.startswith(start):
            return known
    if data[:3].isdigit() and data[3:4] in (b" ", b"-"):
        return _by_reply_code(data)
    if data[3:5] in (b"\0\x0a", b"\0\xff"):
        return "MySQL"  # packet number 0, then protocol version 10 or an error packet
    if len(data) > 4 and data[0] & 0x80 and data[2] == 4:
        return "SSL 2.0"
    return ""


def _by_reply_code(data: bytes) -> str:
    if any(word in data[:200].lower() for word in (b"ftp", b"filezilla")):
        return "FTP"
    return "SMTP" if data[:3] in _SMTP_CODES else "a protocol with reply codes"


def describe(data: bytes) -> str:
    """``server speaks HTTP: HTTP/1.1 400 Bad Request``; one line of evidence."""
    speaks = protocol(data)
    return f"server speaks {speaks}: {escaped(data)}" if speaks else f"server does not speak TLS; first octets: {escaped(data)}"
