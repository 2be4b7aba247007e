"""Times as certificates and OCSP responses write them (RFC 5280 4.1.2.5)."""

from datetime import UTC, datetime

from dnscertscan.pki import der

FORMATS = {der.UTC_TIME: (13, "UTCTime", "YYMMDDHHMMSSZ"), der.GENERALIZED_TIME: (15, "GeneralizedTime", "YYYYMMDDHHMMSSZ")}


def read_time(tag: int, content: bytes) -> tuple[datetime | None, str]:
    """The moment, and what is wrong with how it is written (empty when nothing is).

    Only the two forms of RFC 5280 are read, as every client does: seconds present, ``Z`` at the end, no fraction.
    """
    if tag not in FORMATS:
        return None, f"has tag 0x{tag:02x} and so is no time"
    length, kind, form = FORMATS[tag]
    shown = content[:24].decode("latin-1")
    if len(content) != length or not content[:-1].isdigit() or content[-1:] != b"Z":
        return None, f"{kind} {shown!r} is not of the form {form}"
    digits = content[:-1].decode("ascii")
    if tag == der.UTC_TIME:
        digits = ("19" if digits >= "50" else "20") + digits
    year, rest = max(int(digits[:4]), 1), digits[4:]  # the year 0 is as long ago as Python's first one
    try:
        moment = datetime(year, int(rest[:2]), int(rest[2:4]), int(rest[4:6]), int(rest[6:8]), int(rest[8:10]), tzinfo=UTC)
    except ValueError:
        return None, f"{kind} {shown!r} is no date of the calendar"
    return moment, ""
