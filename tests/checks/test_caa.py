"""CAA RRsets: what they allow, the grammar of their values, and that strange ones never allow more than they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.checks.caa import Ruling, decide, permissions, read_permission
from dnscertscan.model.transparency import CaaRecord

OURS = ("ca.example", "ca.test")


def rrset(*texts: str, critical: bool = False) -> list[CaaRecord]:
    return [CaaRecord(critical, *text.split(" ", 1)) for text in texts]


@pytest.mark.parametrize(
    ("records", "plain", "wild"),
    [
        ([], "allowed", "allowed"),
        (["iodef mailto:a@b.example"], "allowed", "allowed"),
        (["issue ca.example"], "allowed", "allowed"),
        (["issue CA.Example"], "allowed", "allowed"),
        (["issue   ca.example ; accounturi=https://x.example/1"], "allowed", "allowed"),
        (["issue other.example"], "denied", "denied"),
        (["issue other.example", "issue ca.test"], "allowed", "allowed"),
        (["issue ;"], "denied", "denied"),
        (["issue "], "denied", "denied"),
        (["issue ;", "issue ca.example"], "allowed", "allowed"),
        (["issuewild ;"], "allowed", "denied"),
        (["issue other.example", "issuewild ca.example"], "denied", "allowed"),
        (["issue ca.example", "issuewild other.example"], "allowed", "denied"),
        (["issue ca.example."], "denied", "denied"),
        (["issue ca_example"], "denied", "denied"),
        (["issue ca.example; bad parameter"], "denied", "denied"),
        (["ISSUE other.example"], "denied", "denied"),
        (["issuemail ;"], "allowed", "allowed"),
    ],
)
def test_what_an_rrset_allows(records: list[str], plain: str, wild: str) -> None:
    """issue for names, issuewild before it for wildcards; values that follow no grammar mean no CA (RFC 8659 4.2, 4.3)."""
    assert decide(rrset(*records), OURS, wildcard=False).ruling == plain
    assert decide(rrset(*records), OURS, wildcard=True).ruling == wild


def test_a_ca_that_is_not_known_is_not_judged() -> None:
    """Unless nobody at all may issue, or anybody."""
    assert decide(rrset("issue ca.example"), None, wildcard=False).ruling is Ruling.UNKNOWN
    assert decide(rrset("issue ;"), None, wildcard=False).ruling is Ruling.DENIED
    assert decide(rrset("iodef x"), None, wildcard=False).ruling is Ruling.ALLOWED


def test_critical_properties() -> None:
    """Those that no public CA knows forbid to issue; those that they know do not, nor do strange ones that are not critical."""
    strange = decide(rrset("issue ca.example", "tbs unknown", critical=True), OURS, wildcard=False)
    assert strange.ruling is Ruling.DENIED
    assert '"tbs"' in strange.reason
    assert decide(rrset("tbs x"), OURS, wildcard=False).ruling is Ruling.ALLOWED
    assert decide(rrset("issue ca.example", "iodef x", critical=True), OURS, wildcard=False).ruling is Ruling.ALLOWED


def test_parameters() -> None:
    """Tags in any case, values as they are, a semicolon at the end; accounts are all that is asked of them (RFC 8657)."""
    found = read_permission("ca.example; AccountURI=https://ca.example/Acct/1; validationmethods=dns-01;")
    assert (found.issuer, found.problem) == ("ca.example", "")
    assert found.parameters == (("accounturi", "https://ca.example/Acct/1"), ("validationmethods", "dns-01"))
    assert found.accounts == ("https://ca.example/Acct/1",)
    assert read_permission(";").issuer == read_permission("").issuer == ""
    assert read_permission("x" * 10_000).problem == "value of 10000 characters"
    assert permissions(rrset("iodef x"), wildcard=True) is None


TAGS = st.sampled_from(["issue", "issuewild", "iodef", "x"])


@given(st.lists(st.tuples(TAGS, st.text(max_size=40), st.booleans()), max_size=6))
def test_any_rrset_has_a_decision(texts: list[tuple[str, str, bool]]) -> None:
    """Whatever is in it, in one printable line; the order of records does not matter; a CA that is known is decided about."""
    records = [CaaRecord(critical, tag, value) for tag, value, critical in texts]
    for wildcard in (False, True):
        decision = decide(records, OURS, wildcard=wildcard)
        assert decision.ruling is not Ruling.UNKNOWN
        assert decision.reason.isprintable()
        assert decide(records[::-1], OURS, wildcard=wildcard) == decision
        unknown = decide(records, None, wildcard=wildcard).ruling
        assert unknown in (decision.ruling, Ruling.UNKNOWN)
