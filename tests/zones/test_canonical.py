"""One spelling and one order for every record."""

from ipaddress import AddressValueError, IPv4Address

import dns.name
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnscertscan.model.names import DnsName
from dnscertscan.zones.canonical import BadRecordError, name_key, owner_name, rdata_text, type_text

ZONE = DnsName("example.com")
LABEL = st.binary(min_size=1, max_size=8)


@settings(deadline=None)  # a busy machine is no fault of the code
@given(st.lists(st.lists(LABEL, max_size=4).map(lambda labels: dns.name.Name([*labels, b""])), max_size=8))
def test_names_sort_in_dnssec_order(names: list[dns.name.Name]) -> None:
    """The order is the one DNSSEC uses (RFC 4034 section 6.1), for labels of any octets; dnspython is the yardstick."""
    ours = sorted((DnsName(name.to_text().lower().removesuffix(".")) for name in names), key=name_key)
    theirs = [DnsName(name.to_text().lower().removesuffix(".")) for name in sorted(names)]
    assert [name.text for name in ours] == [name.text for name in theirs]


@settings(deadline=None)  # a busy machine is no fault of the code
@given(st.sampled_from(["A", "AAAA", "CNAME", "DNAME", "TXT"]), st.text())
def test_a_spelling_is_final(kind: str, text: str) -> None:
    """What is canonical stays as it is when read again; what is not accepted raises BadRecordError and nothing else."""
    try:
        once = rdata_text(kind, text, ZONE)
    except BadRecordError:
        return
    assert rdata_text(kind, once, ZONE) == once


OCTET = st.sampled_from(
    ["0", "00", "01", "1", "9", "10", "99", "100", "199", "200", "249", "250", "255", "256", "300", "1000", "", "٣"]
)


@settings(deadline=None)  # a busy machine is no fault of the code
@given(st.lists(OCTET, min_size=3, max_size=5).map(".".join), st.sampled_from(["", ".", "\n", " "]))
def test_addresses_are_judged_as_ipaddress_does(text: str, end: str) -> None:
    """The quick way accepts what the library accepts, and writes what it writes."""
    try:
        expected = str(IPv4Address((text + end).strip()))
    except AddressValueError:
        with pytest.raises(BadRecordError):
            rdata_text("A", text + end, ZONE)
    else:
        assert rdata_text("A", text + end, ZONE) == expected


@settings(deadline=None)  # a busy machine is no fault of the code
@given(st.text())
def test_owners_stay_inside_the_zone(text: str) -> None:
    """Whatever is accepted as an owner is the zone or below it."""
    try:
        owner = owner_name(text, ZONE)
    except BadRecordError:
        return
    assert owner.is_within(ZONE)


def test_the_octal_wildcard() -> None:
    """Only a whole first label is a wildcard in Route 53's spelling."""
    assert owner_name("\\052", ZONE).text == "*.example.com"
    assert owner_name("\\052.dev.example.com.", ZONE).text == "*.dev.example.com"
    assert owner_name("\\0521", ZONE).text == "\\0521.example.com"


def test_generic_type_names_are_the_same_types() -> None:
    """RFC 3597: TYPE1 is A; unknown types keep their number."""
    assert [type_text(text) for text in ("TYPE1", "type28", " aaaa ", "TYPE65280")] == ["A", "AAAA", "AAAA", "TYPE65280"]


@pytest.mark.parametrize("text", ["", " ", "A B", "1A", "É", "A" * 40, "\n"])
def test_type_names_that_are_none(text: str) -> None:
    """Text that can be no type mnemonic is refused."""
    with pytest.raises(BadRecordError, match="is no record type"):
        type_text(text)
