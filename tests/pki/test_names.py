"""Which names stand for which (RFC 9525)."""

from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.pki.general_names import Names
from dnscertscan.pki.names import ask, covers, is_named, offered

LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=8)
HOST = st.lists(LABEL, min_size=2, max_size=5).map(".".join)


@given(HOST, st.data())
def test_a_name_stands_for_itself_in_any_case_and_with_a_final_dot(host: str, data: st.DataObject) -> None:
    """Letter case and the final dot of the question do not matter."""
    mixed = "".join(data.draw(st.sampled_from((char.lower(), char.upper()))) for char in host)
    if not ask(host).ip:
        assert is_named(ask(mixed + "."), Names(dns=(mixed.swapcase(),)))


@given(HOST, LABEL, LABEL)
def test_a_wildcard_stands_for_exactly_one_label(host: str, label: str, second: str) -> None:
    """One label more: yes. None or two: no."""
    assert covers(f"*.{host}", f"{label}.{host}")
    assert not covers(f"*.{host}", host)
    assert not covers(f"*.{host}", f"{second}.{label}.{host}")


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_gets_an_answer(presented: str, asked: str) -> None:
    """No text raises, and a name without a star stands only for itself."""
    question = ask(asked)
    found = is_named(question, Names(dns=(presented,)))
    if found and "*" not in presented:
        assert presented.lower() == question.dns


def test_stars_that_stand_for_nothing() -> None:
    """Only `*.` and at least two more labels are a wildcard."""
    presented = (
        "*", "*.", "*.com", "*.com.", "*..com", "a*.example.com", "*a.example.com", "a.*.example.com", "*.*.example.com",
        "xn--*-1b3c148a.example.com", "**.example.com", "",
    )
    asked = ("example.com", "a.example.com", "ab.example.com", "a.b.example.com", "com", "", "xn--bliss-1b3c148a.example.com")
    assert [(entry, name) for entry in presented for name in asked if covers(entry, name)] == []


def test_addresses_are_compared_as_addresses() -> None:
    """An address matches iPAddress octets only, in any spelling; never a dNSName."""
    assert ask("192.0.2.1").ip == b"\xc0\0\2\1"
    assert ask("[2001:DB8::1]").ip == ask("2001:db8:0:0:0:0:0:1").ip
    assert is_named(ask("192.0.2.1"), Names(ips=(b"\xc0\0\2\1",)))
    assert not is_named(ask("192.0.2.1"), Names(dns=("192.0.2.1",)))
    assert not is_named(ask("192.0.2.1"), Names(ips=(b"\xc0\0\2\2", b"\xc0\0\2", b"")))


def test_what_is_offered_is_shown_in_part() -> None:
    """A message shows at most ten names and how many more there are."""
    many = Names(dns=tuple(f"n{number}.example" for number in range(30)), ips=(b"\x7f\0\0\1",))
    assert offered(many).endswith("n9.example and 21 more")
    assert offered(Names(ips=(b"\x7f\0\0\1", b"odd"))) == "127.0.0.1, 6f6464"
    assert offered(Names()) == "no DNS name or address"
