"""STARTTLS dialogues as generators: they yield what to do next and are sent the answer; no socket in sight.

A dialogue ends with None when the TLS handshake may begin, or with the :class:`Failure` that says why it may not.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan.banner import escaped

MAX_LINE = 8192
MAX_LINES = 200
MAX_BLOCK = 65536


@dataclass(frozen=True, slots=True)
class Send:
    """Send these octets; the answer is empty."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """Read up to and without LF (a CR before it is cut off); at most MAX_LINE octets."""


@dataclass(frozen=True, slots=True)
class Exactly:
    """Read this number of octets."""

    size: int


@dataclass(frozen=True, slots=True)
class Until:
    """Read until one of these has come; the answer ends with it."""

    marks: tuple[bytes, ...]


Step = Send | Line | Exactly | Until
Dialogue = Generator[Step, bytes, Failure | None]


def _refused(protocol: str, said: bytes) -> Failure:
    return Failure(FailureKind.STARTTLS_REFUSED, f'{protocol}: server said "{escaped(said)}"')


def _unsupported(protocol: str, what: str) -> Failure:
    return Failure(FailureKind.STARTTLS_UNSUPPORTED, f"{protocol}: {what}")


def _reply(protocol: str) -> Generator[Step, bytes, tuple[bytes, list[bytes]] | Failure]:
    """One reply of possibly several lines, ``250-first`` ... ``250 last`` (RFC 5321 4.2.1, RFC 959 4.2): code and texts.

    FTP lets lines inside a reply begin with anything.
    """
    first = yield Line()
    code, lines = first[:3], [first[4:]]
    if not code.isdigit():
        return _refused(protocol, first)
    last = first
    while not (last[:3] == code and last[3:4] != b"-"):
        if len(lines) > MAX_LINES:
            return Failure(FailureKind.STARTTLS_REFUSED, f"{protocol}: a reply of more than {MAX_LINES} lines")
        last = yield Line()
        lines.append(last[4:])
    return code, lines


def smtp(name: str, _: str) -> Dialogue:
    """RFC 3207; ``name`` is how the client calls itself."""
    hello = b"EHLO " + name.encode("ascii", "replace") + b"\r\n"
    for command, wanted in ((b"", b"220"), (hello, b"250"), (b"STARTTLS\r\n", b"220")):
        if command:
            yield Send(command)
        reply = yield from _reply("SMTP")
        if isinstance(reply, Failure):
            return reply
        code, lines = reply
        if code != wanted:
            missing = command == b"STARTTLS\r\n" and code in (b"500", b"502", b"504")
            return _unsupported("SMTP", "STARTTLS not known") if missing else _refused("SMTP", code + b" " + lines[0])
        if command.startswith(b"EHLO") and not any(line.split(b" ")[0].upper() == b"STARTTLS" for line in lines):
            return _unsupported("SMTP", "EHLO does not offer STARTTLS")
    return None


def imap(_: str, __: str) -> Dialogue:
    """RFC 9051 6.2.1."""
    greeting = yield Line()
    if not greeting.startswith(b"* OK"):
        return _refused("IMAP", greeting)
    yield Send(b"a1 STARTTLS\r\n")
    for _count in range(MAX_LINES):
        line = yield Line()
        tag, _space, rest = line.upper().partition(b" ")
        if tag == b"A1":
            status = rest.partition(b" ")[0]  # the text behind it is for people
            if status == b"OK":
                return None
            return _unsupported("IMAP", f'server said "{escaped(line)}"') if status == b"BAD" else _refused("IMAP", line)
    return _refused("IMAP", b"(no tagged reply)")


def pop3(_: str, __: str) -> Dialogue:
    """RFC 2595 4. A response code in brackets tells why not now (RFC 2449 8, RFC 3206), so that the command is known."""
    greeting = yield Line()
    if not greeting.startswith(b"+OK"):
        return _refused("POP3", greeting)
    yield Send(b"STLS\r\n")
    answer = yield Line()
    if answer.startswith(b"+OK"):
        return None
    now = answer.upper().startswith(b"-ERR [")
    return _refused("POP3", answer) if now else _unsupported("POP3", f'server said "{escaped(answer)}"')


def ftp(_: str, __: str) -> Dialogue:
    """RFC 4217 4."""
    for command, wanted in ((b"", b"220"), (b"AUTH TLS\r\n", b"234")):
        if command:
            yield Send(command)
        reply = yield from _reply("FTP")
        if isinstance(reply, Failure):
            return reply
        code, lines = reply
        if code != wanted:
            missing = command and code in (b"500", b"502", b"504")
            return _unsupported("FTP", f"AUTH TLS: {code.decode()}") if missing else _refused("FTP", code + b" " + lines[0])
    return None


def ldap(_: str, __: str) -> Dialogue:
    """StartTLS as an extended operation (RFC 4511 4.14): BER message, result code 0 is success."""
    yield Send(b"0\x1d\x02\x01\x01w\x18\x80\x161.3.6.1.4.1.1466.20037")
    head = yield Exactly(2)
    if head[0] != 0x30:
        return _refused("LDAP", head)
    length = head[1]
    if length & 0x80:
        if length & 0x7F > 3:
            return _refused("LDAP", head)
        length = int.from_bytes((yield Exactly(length & 0x7F)))
    if length > MAX_BLOCK:
        return _refused("LDAP", head)
    body = yield Exactly(length)
    at = body.find(b"\x0a\x01")  # the first ENUMERATED of an ExtendedResponse is its result code
    if b"\x78" not in body[:6] or at < 0 or at + 2 >= len(body):
        return _refused("LDAP", body)
    code = body[at + 2]
    if code == 0:
        return None
    return _unsupported("LDAP", f"result code {code}") if code in (2, 53) else _refused("LDAP", body)


def postgres(_: str, __: str) -> Dialogue:
    """SSLRequest (PostgreSQL protocol, 54.2.11): one octet S, N or an error."""
    yield Send(b"\0\0\0\x08\x04\xd2\x16\x2f")
    answer = yield Exactly(1)
    if answer == b"S":
        return None
    return _unsupported("PostgreSQL", "server said N") if answer == b"N" else _refused("PostgreSQL", answer)


def _xmpp(namespace: str, server_name: str) -> Dialogue:
    """RFC 6120 5.4."""
    yield Send(
        f"<?xml version='1.0'?><stream:stream to='{server_name}' xmlns='{namespace}' "
        "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>".encode("ascii", "replace")
    )
    features = yield Until((b"</stream:features>", b"<stream:features/>", b"</stream:stream>", b"</stream:error>"))
    if b"stream:error" in features:
        return _refused("XMPP", features[-80:])
    if b"urn:ietf:params:xml:ns:xmpp-tls" not in features:
        return _unsupported("XMPP", "stream features do not offer STARTTLS")
    yield Send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    answer = yield Until((b"/>", b"</proceed>", b"</failure>", b"</stream:stream>"))
    return None if b"<proceed" in answer else _refused("XMPP", answer)


def xmpp(_: str, server_name: str) -> Dialogue:
    """A client's stream."""
    return _xmpp("jabber:client", server_name)


def xmpp_server(_: str, server_name: str) -> Dialogue:
    """A server's stream."""
    return _xmpp("jabber:server", server_name)


DIALOGUES: Mapping[str, Callable[[str, str], Dialogue]] = {
    "smtp": smtp, "imap": imap, "pop3": pop3, "ftp": ftp, "ldap": ldap, "postgres": postgres,
    "xmpp": xmpp, "xmpp-server": xmpp_server,
}
"""Service word of an endpoint -> dialogue of (own name, server name)."""
NAMED_BEFORE_TLS = frozenset({"xmpp", "xmpp-server"})
"""Services whose dialogue names the host even where TLS does not (RFC 6120 4.7.2)."""
