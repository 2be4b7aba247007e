"""The audit of one served certificate: all three deliveries, who issued it, and never a guess."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pki import ct_forge, forge
from pki.ct_forge import CA, LEAF, OwnLog, sct_list
from pki.forge import DAY, NOW

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import CtAudit, Delivery, Logged, LogKind, LogState, Program, SctVerdict
from dnscertscan.pki.ct_audit import audit
from dnscertscan.pki.mimics import MIMICS
from dnscertscan.pki.tbs import tbs_sha256

ONE, TWO = OwnLog("one", "Op A"), OwnLog("two", "Op B", kind=LogKind.STATIC)
STRANGER = OwnLog("stranger", "Op C")
LIST = ct_forge.list_of(ONE, TWO)
ISSUER = ct_forge.issuer_of()
GOOD = ct_forge.issue([ONE, TWO])
PLAIN = Certificate(LEAF.signed_by(CA))
ENTRY = ct_forge.x509_entry(PLAIN.der)
BOTH = sct_list([ONE.sct(ENTRY), TWO.sct(ENTRY)])


def _verdicts(found: CtAudit) -> list[str]:
    return [f"{result.delivery} {result.verdict}" for result in found.results]


def _compliant(found: CtAudit) -> list[bool | None]:
    assert [policy.program for policy in found.policies] == list(Program)
    return [policy.compliant for policy in found.policies]


def test_a_good_certificate() -> None:
    """Both SCTs valid, every field of the report filled, all browsers content."""
    found = audit([GOOD, ISSUER], LIST, NOW + DAY, public=True)
    assert _verdicts(found) == ["embedded valid", "embedded valid"]
    assert [(result.operator, result.state) for result in found.results] == [("Op A", LogState.USABLE), ("Op B", LogState.USABLE)]
    assert [result.log for result in found.results] == [ONE.log, TWO.log]
    assert (found.logged, _compliant(found), found.notes) == (Logged.LOGGED, [True] * 3, ())
    assert found.tbs_sha256 == tbs_sha256(GOOD) == tbs_sha256(PLAIN)
    assert (found.list_name, found.list_version, found.list_age_days) == ("own", "1", 1)


def test_the_issuer_may_come_from_elsewhere() -> None:
    """A chain without the issuer is judged by certificates of others, which are asked for only then and must have signed it."""
    asked: list[Certificate] = []
    namesake = Certificate(replace(CA, private=forge.key("namesake")).signed_by(forge.root_spec()))

    def others(leaf: Certificate) -> list[Certificate]:
        asked.append(leaf)
        return [Certificate(b"junk"), GOOD, namesake, ISSUER]

    assert audit([GOOD, ISSUER], LIST, NOW, issuers=others).logged is Logged.LOGGED
    assert asked == []
    assert audit([GOOD], LIST, NOW, issuers=others).logged is Logged.LOGGED
    assert asked == [GOOD]
    cross = Certificate(replace(CA, serial=b"\x09").signed_by(forge.root_spec("Other root")))
    assert audit([GOOD, cross], LIST, NOW).logged is Logged.LOGGED


@pytest.mark.parametrize("others", [(), (Certificate(replace(CA, private=forge.key("namesake")).signed_by(forge.root_spec())),)])
def test_a_missing_issuer_is_no_verdict(others: tuple[Certificate, ...]) -> None:
    """Without the issuer the SCTs are unverifiable, with that reason, and the certificate is neither logged nor not."""
    found = audit([GOOD, *others], LIST, NOW, staple=b"", tls_scts=b"")
    assert _verdicts(found) == ["embedded unverifiable"] * 2
    assert all(result.reason.startswith("issuer missing: ") for result in found.results)
    assert ("of that name" in found.results[0].reason) is bool(others)
    assert found.results[0].operator == "Op A"
    assert (found.logged, _compliant(found)) == (Logged.UNKNOWN, [None] * 3)


def test_a_self_signed_certificate_is_its_own_issuer() -> None:
    """Nothing else needs to be known for it."""
    own = replace(LEAF, subject=CA.subject, private=CA.private)
    assert audit([ct_forge.issue([ONE], own)], LIST, NOW).logged is Logged.LOGGED


def test_by_tls_extension_and_by_ocsp() -> None:
    """SCTs over the certificate itself need no issuer."""
    found = audit([PLAIN], LIST, NOW, tls_scts=BOTH, staple=b"", public=True)
    assert (_verdicts(found), found.logged, _compliant(found)) == (["tls valid", "tls valid"], Logged.LOGGED, [True] * 3)
    found = audit([PLAIN], LIST, NOW, staple=ct_forge.stapled(BOTH), tls_scts=b"", public=True)
    assert (_verdicts(found), found.logged) == (["ocsp valid", "ocsp valid"], Logged.LOGGED)
    assert _compliant(found) == [False, True, True]
    over_good = sct_list([ONE.sct(ct_forge.x509_entry(GOOD.der))])
    every = audit([GOOD, ISSUER], LIST, NOW, staple=ct_forge.stapled(over_good), tls_scts=BOTH)
    assert _verdicts(every) == ["embedded valid"] * 2 + ["ocsp valid"] + ["tls invalid"] * 2  # those over TLS are of another one


def test_no_sct_by_any_delivery() -> None:
    """Only when both other ways were looked at is the certificate not logged."""
    assert audit([PLAIN, ISSUER], LIST, NOW, staple=b"", tls_scts=b"").logged is Logged.NOT_LOGGED
    for staple, scts in ((None, None), (b"", None), (None, b""), (b"junk", b""), (ct_forge.stapled(b"", serial=b"\x44"), b"")):
        found = audit([PLAIN, ISSUER], LIST, NOW, staple=staple, tls_scts=scts, public=True)
        assert (found.logged, _compliant(found)) == (Logged.UNKNOWN, [None] * 3)
        assert any("could not be seen" in note for note in found.notes)
    found = audit([PLAIN, ISSUER], LIST, NOW, staple=forge.OcspSpec(CA, LEAF.serial).der, tls_scts=b"", public=True)
    assert (found.logged, _compliant(found), found.results) == (Logged.NOT_LOGGED, [False] * 3, ())


def test_forged_scts() -> None:
    """SCTs over another certificate: invalid, and with nothing else to go by the certificate is not logged."""
    other = ct_forge.issue([ONE, TWO], replace(LEAF, serial=b"\x77"))
    scts = [ONE.sct(ct_forge.precert_entry(CA, ct_forge.tbs_of(other.der)))]
    found = audit([ct_forge.with_scts(scts), ISSUER], LIST, NOW)
    assert (_verdicts(found), found.logged) == (["embedded invalid"], Logged.NOT_LOGGED)
    assert "not by the key of the log" in found.results[0].reason


def test_a_wrong_issuer_key_in_the_entry() -> None:
    """The SCT binds the issuer's key: one that was made for another CA does not fit (RFC 6962 3.2)."""
    entry = ct_forge.precert_entry(forge.root_spec(), ct_forge.tbs_of(LEAF.signed_by(CA)))
    found = audit([ct_forge.with_scts([ONE.sct(entry)]), ISSUER], LIST, NOW)
    assert _verdicts(found) == ["embedded invalid"]


def test_an_unknown_log() -> None:
    """Not in the list: named, no evidence either way; one valid SCT beside it is enough."""
    found = audit([ct_forge.issue([STRANGER]), ISSUER], LIST, NOW, staple=b"", tls_scts=b"")
    assert (_verdicts(found), found.logged) == (["embedded unknown-log"], Logged.UNKNOWN)
    assert found.results[0].reason.endswith("is not in the list own 1")
    assert audit([ct_forge.issue([STRANGER, ONE]), ISSUER], LIST, NOW).logged is Logged.LOGGED


def test_a_mimic_log() -> None:
    """Said to be one, whether a list has it or not."""
    log_id = min(MIMICS)
    leaf = ct_forge.with_scts([b"\0" + log_id + ONE.sct(ENTRY)[33:]])
    for known in (LIST, replace(LIST, logs={log_id: replace(ONE.log, log_id=log_id)})):
        found = audit([leaf, ISSUER], known, NOW)
        assert _verdicts(found) == ["embedded invalid"]
        assert "mimic" in found.results[0].reason


def test_malformed_scts() -> None:
    """One malformed or of an unknown version: its neighbours are judged; a broken list decides nothing."""
    good = ONE.sct(ct_forge.precert_entry(CA, ct_forge.tbs_of(PLAIN.der)))
    found = audit([ct_forge.with_scts([b"\1" + good[1:], good[:-1], good]), ISSUER], LIST, NOW)
    assert (_verdicts(found), found.logged) == (["embedded unverifiable", "embedded invalid", "embedded valid"], Logged.LOGGED)
    assert audit([ct_forge.with_scts([good[:-1]]), ISSUER], LIST, NOW).logged is Logged.NOT_LOGGED
    assert audit([ct_forge.with_scts([b"\1" + good[1:]]), ISSUER], LIST, NOW).logged is Logged.UNKNOWN
    cut = LEAF.with_(ct_forge.embedding(sct_list([good])[:-1]))
    found = audit([Certificate(cut.signed_by(CA)), ISSUER], LIST, NOW, staple=b"", tls_scts=b"", public=True)
    assert (_verdicts(found), found.logged, _compliant(found)) == (["embedded invalid"], Logged.UNKNOWN, [False] * 3)
    junk = LEAF.with_(forge.Extension(ct_forge.SCT_LIST, b"junk"))
    assert _verdicts(audit([Certificate(junk.signed_by(CA)), ISSUER], LIST, NOW)) == ["embedded invalid"]


def test_an_sct_of_the_future() -> None:
    """Later than the audit by more than clocks differ: the log did sign it, one of the clocks is wrong: nothing is decided.

    A certificate may be renewed between the time a run is judged at and the moment it is seen.
    """
    assert audit([ct_forge.issue([ONE], at=NOW + timedelta(minutes=4)), ISSUER], LIST, NOW).logged is Logged.LOGGED
    found = audit([ct_forge.issue([ONE], at=NOW + DAY), ISSUER], LIST, NOW)
    assert (_verdicts(found), found.logged) == (["embedded unverifiable"], Logged.UNKNOWN)
    assert (NOW + DAY).isoformat() in found.results[0].reason
    renewed = audit([ct_forge.issue([ONE, TWO], at=NOW + timedelta(minutes=8)), ISSUER], LIST, NOW, public=True)
    assert _compliant(renewed) == [None] * 3


def test_private_and_unknown_authorities() -> None:
    """No policy for a private CA, which is said; for a CA nobody knows, that is said."""
    found = audit([PLAIN, ISSUER], LIST, NOW, staple=b"", tls_scts=b"", public=False)
    assert (found.policies, found.logged) == ((), Logged.NOT_LOGGED)
    assert any("private CA" in note for note in found.notes)
    assert any("whether the CA is a public one" in note for note in audit([GOOD, ISSUER], LIST, NOW).notes)


@pytest.mark.parametrize(("days", "noted"), [(0, False), (70, False), (71, True), (700, True)])
def test_the_age_of_the_list(days: int, noted: bool) -> None:
    """Told in days, and noted over 70; an older list leaves open what an unknown log is worth."""
    old = replace(LIST, timestamp=NOW - days * DAY)
    found = audit([ct_forge.issue([ONE, STRANGER]), ISSUER], old, NOW, public=True)
    assert found.list_age_days == days
    assert any("days old" in note for note in found.notes) is noted
    assert _compliant(found) == [None if days >= 70 else False] * 3


def test_a_list_of_later_than_asked_for() -> None:
    """It has no age; that is noted."""
    found = audit([GOOD, ISSUER], replace(LIST, timestamp=NOW + 400 * DAY), NOW + DAY)
    assert found.list_age_days is None
    assert any("later than the time asked for" in note for note in found.notes)


def test_states_and_remarks() -> None:
    """The state is that of the audit; a valid SCT of a log that does not count says so."""
    retired = OwnLog("gone", "Op A", states=((LogState.USABLE, ct_forge.START), (LogState.RETIRED, NOW + DAY)))
    known = ct_forge.list_of(retired)
    leaf = ct_forge.issue([retired])
    before, after = (audit([leaf, ISSUER], known, at).results[0] for at in (NOW, NOW + 2 * DAY))
    assert (before.state, before.reason) == (LogState.USABLE, "")
    assert (after.state, after.reason) == (LogState.RETIRED, f"the log is retired since {NOW + DAY:%Y-%m-%d}")
    unborn = audit([leaf, ISSUER], ct_forge.list_of(replace(retired, states=retired.states[1:])), NOW).results[0]
    assert (unborn.state, unborn.reason) == (None, "the state of the log at that time is not known")


def test_operators_over_time() -> None:
    """The operator is that of the SCT's time."""
    log = replace(ONE.log, operators=(("Before", NOW), ("After", None)))
    known = replace(LIST, logs={log.log_id: log})
    audits = [audit([ct_forge.issue([ONE], at=at), ISSUER], known, NOW + DAY) for at in (NOW - DAY, NOW, NOW + DAY)]
    assert [found.results[0].operator for found in audits] == ["Before", "After", "After"]


def test_a_served_precertificate() -> None:
    """The poison is noted, and the identity is that of the certificate."""
    found = audit([Certificate(LEAF.with_(ct_forge.POISONED).signed_by(CA)), ISSUER], LIST, NOW, staple=b"", tls_scts=b"")
    assert any("poison" in note for note in found.notes)
    assert found.tbs_sha256 == tbs_sha256(PLAIN)


def test_nothing_to_audit() -> None:
    """No certificate, or none that can be read, is unknown."""
    for chain in ([], [Certificate(b"")], [Certificate(b"junk")]):
        found = audit(chain, LIST, NOW, staple=b"", tls_scts=b"")
        assert (found.logged, found.results, found.tbs_sha256) == (Logged.UNKNOWN, (), "")
        assert found.notes


@given(st.integers(0, len(GOOD.der) - 1), st.integers(1, 255), st.binary(max_size=200), st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_hostile_octets(place: int, mask: int, staple: bytes, scts: bytes) -> None:
    """A certificate changed anywhere, with any staple and extension: an audit, and never an SCT that is valid by chance.

    The signature of the certificate itself is under no SCT; a change there leaves nobody who can be its issuer.
    """
    changed = Certificate(GOOD.der[:place] + bytes([GOOD.der[place] ^ mask]) + GOOD.der[place + 1 :])
    found = audit([changed, ISSUER], LIST, NOW, staple=staple, tls_scts=scts)
    assert not any(result.verdict is SctVerdict.VALID for result in found.results)
    assert all(result.reason for result in found.results)
    assert {result.delivery for result in found.results} <= set(Delivery)


def test_the_largest_list_costs_little() -> None:
    """As many SCTs as are looked at, all with signatures to check."""
    sct = ONE.sct(ENTRY)
    found = audit([PLAIN], LIST, NOW, staple=b"", tls_scts=sct_list([sct] * 500))
    assert len(found.results) == 101
    assert found.logged is Logged.LOGGED
