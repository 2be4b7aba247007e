"""STARTTLS dialogues: pure generators in any cut of the answers, and the whole way through SSLyze with a real TLS server."""

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import hostile
from servers.hostile import Behaviour
from servers.scanning import check, der, handshake, observe, target

from dnscertscan.demo.authority import Authority, Credential
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan.probe import Reading
from dnscertscan.scan.starttls import DIALOGUES, Exactly, Line, Send, Until

LDAP_OK = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
STREAM = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0'>"
FEATURES = STREAM + b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
# service -> (server speaks first, its turns)
GOOD: dict[str, tuple[bool, list[bytes]]] = {
    "smtp": (True, [b"220-mail\r\n220 ready\r\n", b"250-mail\r\n250-SIZE 1\r\n250 STARTTLS\r\n", b"220 go ahead\r\n"]),
    "imap": (True, [b"* OK ready\r\n", b"* NOTE x\r\n%b OK begin\r\n"]),
    "pop3": (True, [b"+OK ready\r\n", b"+OK begin\r\n"]),
    "ftp": (True, [b"220-hello\r\n welcome\r\n220 ready\r\n", b"234 AUTH TLS ok\r\n"]),
    "ldap": (False, [LDAP_OK]),
    "postgres": (False, [b"S"]),
    "xmpp": (False, [FEATURES, PROCEED]),
    "xmpp-server": (False, [FEATURES, PROCEED]),
}
BAD = [
    ("smtp", True, [b"220 ready\r\n", b"250 mail\r\n"], FailureKind.STARTTLS_UNSUPPORTED, "does not offer STARTTLS"),
    ("smtp", True, [b"220 ready\r\n", b"250 STARTTLS\r\n", b"454 not now\r\n"], FailureKind.STARTTLS_REFUSED, "454 not now"),
    ("smtp", True, [b"220 ready\r\n", b"250 STARTTLS\r\n", b"502 what\r\n"], FailureKind.STARTTLS_UNSUPPORTED, "not known"),
    ("smtp", True, [b"554 d\xe9sol\xe9\r\n"], FailureKind.STARTTLS_REFUSED, "d\\xe9sol\\xe9"),
    ("smtp", True, [b"SSH-2.0-x\r\n"], FailureKind.STARTTLS_REFUSED, "SSH-2.0-x"),
    ("imap", True, [b"* OK ready\r\n", b"a1 BAD what\r\n"], FailureKind.STARTTLS_UNSUPPORTED, "BAD what"),
    ("imap", True, [b"* OK ready\r\n", b"a1 NO\r\n"], FailureKind.STARTTLS_REFUSED, "a1 NO"),
    (
        "imap", True, [b"* OK ready\r\n", b"a1 NO too bad, TLS unavailable\r\n"], FailureKind.STARTTLS_REFUSED,
        "a1 NO too bad, TLS unavailable",
    ),
    ("imap", True, [b"* OK ready\r\n", b"a1 OKAY\r\n"], FailureKind.STARTTLS_REFUSED, "a1 OKAY"),
    ("pop3", True, [b"+OK\r\n", b"-ERR no\r\n"], FailureKind.STARTTLS_UNSUPPORTED, "-ERR no"),
    ("pop3", True, [b"+OK\r\n", b"-ERR [SYS/TEMP] later\r\n"], FailureKind.STARTTLS_REFUSED, "-ERR [SYS/TEMP] later"),
    ("ftp", True, [b"220 x\r\n", b"534 no\r\n"], FailureKind.STARTTLS_REFUSED, "534 no"),
    ("ftp", True, [b"220 x\r\n", b"500 no\r\n"], FailureKind.STARTTLS_UNSUPPORTED, "500"),
    ("ldap", False, [LDAP_OK.replace(b"\x0a\x01\x00", b"\x0a\x01\x02")], FailureKind.STARTTLS_UNSUPPORTED, "result code 2"),
    ("ldap", False, [b"\x30\x84\xff\xff\xff\xff"], FailureKind.STARTTLS_REFUSED, "LDAP"),
    ("postgres", False, [b"N"], FailureKind.STARTTLS_UNSUPPORTED, "N"),
    ("postgres", False, [b"E"], FailureKind.STARTTLS_REFUSED, "E"),
    ("xmpp", False, [STREAM + b"<stream:features/>"], FailureKind.STARTTLS_UNSUPPORTED, "do not offer"),
    ("xmpp", False, [STREAM + b"<stream:error><host-unknown/></stream:error>"], FailureKind.STARTTLS_REFUSED, "host-unknown"),
    ("xmpp", False, [FEATURES, b"<failure xmlns='x'/>"], FailureKind.STARTTLS_REFUSED, "failure"),
    ("telnet", True, [b"login: "], FailureKind.STARTTLS_UNSUPPORTED, "telnet"),
]


def _server(speaks_first: bool, turns: list[bytes], then: Behaviour) -> Behaviour:
    def behave(visit: hostile.Visit) -> None:
        for number, turn in enumerate(turns):
            heard = visit.hello() if number or not speaks_first else b""
            visit.send(turn % heard.split()[0] if b"%b" in turn else turn)  # IMAP answers with the client's tag
        then(visit)

    return behave


@pytest.fixture(scope="module")
def leaf(ca: Authority) -> Credential:
    return ca.leaf("a.test")


def test_every_service_end_to_end(leaf: Credential) -> None:
    """Each dialogue leads to the certificate, in our check and in SSLyze with the matching mode."""
    secure = hostile.tls(der(leaf), leaf.key_pem)
    with ExitStack() as stack:
        targets = []
        for service, (first, turns) in GOOD.items():
            port = stack.enter_context(hostile.serve(_server(first, turns, secure)))
            targets.append(target(port, f"{service}.a.test", service=service))
        observations = observe(targets)
    assert {observation.target.endpoint.service for observation in observations} == set(DIALOGUES)
    for observation in observations:
        result = handshake(observation)
        assert result.engine_failure is None, observation
        (deployment,) = result.deployments
        assert tuple(one.der for one in deployment.chain) == der(leaf)
        assert "TLS 1.2 not RSA" in deployment.how, f"SSLyze did not get through: {observation.target.endpoint.service}"


@pytest.mark.parametrize(("service", "first", "turns", "kind", "evidence"), BAD)
def test_refusals_have_their_kind(service: str, first: bool, turns: list[bytes], kind: FailureKind, evidence: str) -> None:
    """Servers that do not offer or refuse the upgrade are told apart, with their words as evidence."""
    with hostile.serve(_server(first, turns, hostile.silent)) as port:
        outcome = check(target(port, service=service), timeout=2.0)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, evidence in outcome.detail) == (kind, True), outcome


@pytest.mark.parametrize(("behaviour", "kind"), [
    (hostile.smtp_endless, FailureKind.STARTTLS_REFUSED), (hostile.says(b"2" * 100_000), FailureKind.STARTTLS_REFUSED),
    (hostile.says(b"220-a\r\n"), FailureKind.HANDSHAKE_TIMEOUT), (hostile.close_at_once, FailureKind.CLOSED),
    (hostile.silent, FailureKind.HANDSHAKE_TIMEOUT), (hostile.reset, FailureKind.HANDSHAKE_TIMEOUT),
], ids=["endless lines", "endless line", "half a reply", "closed", "silent", "waits for us"])
def test_hostile_dialogues_are_bounded(behaviour: Behaviour, kind: FailureKind) -> None:
    """Endless replies, endless lines and silence end by a limit."""
    with hostile.serve(behaviour) as port:
        outcome = check(target(port, service="smtp"), timeout=0.4)
    assert isinstance(outcome, Failure)
    assert outcome.kind is kind


def test_what_follows_the_answer_belongs_to_tls(leaf: Credential) -> None:
    """Octets that come in one piece with the last answer are not lost to the handshake."""
    def behave(visit: hostile.Visit) -> None:
        visit.hello()
        visit.send(b"S" + hostile.flight(der(leaf)))
        visit.hello()

    with hostile.serve(behave) as port:
        outcome = check(target(port, service="postgres"))
    assert isinstance(outcome, Reading)
    assert outcome.chain == der(leaf)


@given(st.sampled_from(sorted(DIALOGUES)), st.lists(st.binary(max_size=40), max_size=30))
def test_dialogues_take_any_answer(service: str, answers: list[bytes]) -> None:
    """No answer makes a dialogue do anything but ask on or end with a value."""
    dialogue = DIALOGUES[service]("me.test", "a.test")
    answer: bytes | None = None
    try:
        for said in [None, *answers]:
            step = next(dialogue) if answer is None else dialogue.send(answer)
            match step:
                case Send():
                    answer = b""
                case Exactly(size):
                    answer = ((said or b"") + bytes(size))[:size]
                case Line() | Until():
                    answer = said or b""
    except StopIteration as end:
        assert end.value is None or isinstance(end.value, Failure)
