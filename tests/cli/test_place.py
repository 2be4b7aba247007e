"""What HOST means where one host is asked: ports, STARTTLS by prefix, option or port, names, addresses and families."""

import pytest

from dnscertscan.cli.place import PORTS, Place, read_place
from dnscertscan.errors import UsageError
from dnscertscan.settings.values import SERVICES


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("www.example.com", ("www.example.com", 443, "tls", "www.example.com", ())),
        ("WWW.Example.com.:8443", ("www.example.com", 8443, "tls", "www.example.com", ())),
        ("b\u00fccher.example:443", ("xn--bcher-kva.example", 443, "tls", "xn--bcher-kva.example", ())),
        ("mail.example.com:25", ("mail.example.com", 25, "smtp", "mail.example.com", ())),
        ("mail.example.com:587", ("mail.example.com", 587, "smtp", "mail.example.com", ())),
        ("mail.example.com:465", ("mail.example.com", 465, "tls", "mail.example.com", ())),
        ("smtp:mail.example.com:2525", ("mail.example.com", 2525, "smtp", "mail.example.com", ())),
        ("IMAP:mail.example.com", ("mail.example.com", 143, "imap", "mail.example.com", ())),
        ("tls:mail.example.com:25", ("mail.example.com", 25, "tls", "mail.example.com", ())),
        ("smtp:25", ("smtp", 25, "smtp", "smtp", ())),
        ("192.0.2.1:443", ("192.0.2.1", 443, "tls", "192.0.2.1", ("192.0.2.1",))),
        ("[2001:DB8::1]:8443", ("2001:db8::1", 8443, "tls", "2001:db8::1", ("2001:db8::1",))),
        ("ldap:[2001:db8::1]", ("2001:db8::1", 389, "ldap", "2001:db8::1", ("2001:db8::1",))),
    ],
)
def test_places(text: str, place: tuple[str, int, str, str, tuple[str, ...]]) -> None:
    """Host, port, service, name and addresses; a port that only knows STARTTLS brings its protocol along."""
    assert read_place(text) == Place(*place)


def test_every_service_has_a_port() -> None:
    """What may stand before the port has one."""
    assert set(PORTS) == set(SERVICES)


def test_the_option_for_starttls() -> None:
    """It counts at any port, and gives the port where none is given."""
    assert read_place("mail.example.com:10025", starttls="smtp").text == "mail.example.com:10025 (smtp)"
    assert read_place("mail.example.com", starttls="pop3").port == 110
    assert read_place("smtp:mail.example.com:1", starttls="smtp").service == "smtp"
    with pytest.raises(UsageError, match="leave one of them out"):
        read_place("smtp:mail.example.com", starttls="imap")


def test_targets() -> None:
    """One for each address that can be asked, once, of the families wanted; a name is asked for unless it is an address."""
    place = read_place("www.example.com", sni="other.example.com", families=(4,))
    found = place.targets(["192.0.2.1", "2001:db8::1", "192.0.2.1", "::ffff:192.0.2.7", "224.0.0.1", "fe80::1"])
    assert [(one.endpoint.address, one.server_name.text) for one in found] == [
        ("192.0.2.1", "other.example.com"), ("192.0.2.7", "other.example.com"),
    ]
    (alone,) = read_place("[2001:db8::1]:443").targets(["2001:db8::1"])
    assert alone.server_name.problem is None
    assert alone.endpoint.text == "[2001:db8::1]:443"


def test_an_address_that_ends_like_a_port() -> None:
    """It is an address all the same; a hint says how the port would be written. Addresses that cannot be meant so have none."""
    place = read_place("2001:db8::1:443")
    assert (place.host, place.port) == ("2001:db8::1:443", 443)
    assert place.hint == (
        "2001:db8::1:443 is taken for an address, without a port; port 443 of another address is written [2001:db8::1]:443"
    )
    assert read_place("smtp:::1:25").hint
    for text in (
        "[2001:db8::1]:443", "[2001:db8::1:443]", "2001:db8::443", "2001:db8::1:444", "2001:db8:1:2:3:4:5:443", "192.0.2.1:443",
        "www.example.com:443",
    ):
        assert read_place(text).hint == ""


@pytest.mark.parametrize("text", ["", ":443", "a b", "*.a.com", "a..b", "fe80::1", "0.0.0.0", "x:0", "www.example.com:smtp"])
def test_what_cannot_be_asked(text: str) -> None:
    """Refused in words, before anything is looked up."""
    with pytest.raises(UsageError):
        read_place(text)
