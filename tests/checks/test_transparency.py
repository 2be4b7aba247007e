"""What CT says of one certificate that is served: each rule hits what it is for, and nothing else."""

from dataclasses import replace
from datetime import timedelta

from pki import ct_forge, forge
from pki.ct_forge import CA
from pki.forge import DAY, NOW
from servers.ct_judging import (
    GOOD,
    LATE,
    LIST,
    ONE,
    PLAIN,
    STRANGER,
    THREE,
    TWO,
    codes,
    days_from,
    embedded,
    judge,
    logged,
    over,
    served,
    spoilt,
)

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.findings import Severity
from dnscertscan.pki.mimics import MIMICS


def test_a_certificate_as_acme_clients_get_them_gives_nothing() -> None:
    """Two embedded SCTs of two operators: silence, whatever the handshake could show."""
    judging = judge()
    too = ct_forge.sct_list([log.sct(ct_forge.x509_entry(GOOD.der)) for log in (ONE, TWO)])
    for seen in (served(GOOD), served(GOOD, scts=None), served(GOOD, scts=too)):
        assert judging.endpoint(seen) == ()
        assert logged(judging, seen) == ["logged"]
    assert judging.fleet([served(GOOD)]) == ()


def test_its_renewal_gives_nothing_either() -> None:
    """Another key, later dates, the logs of then."""
    later = replace(days_from(0, 90), private=forge.key("renewed"), serial=b"\x44")
    assert judge().endpoint(served(ct_forge.issue([ONE, TWO], later))) == ()


def test_a_certificate_without_any_sct_is_not_logged() -> None:
    """Asked in every way a server can send SCTs, and none came: the rule itself, and the browsers that refuse it."""
    judging = judge()
    findings = judging.endpoint(served(PLAIN))
    assert codes(findings) == ["601", "605", "606", "607"]
    assert findings[0].message == (
        'certificate is not shown to be logged: certificate 0 "CN=www.example.com,O=Forge" (serial 112233): it has no SCT, '
        "and the server sends none in the handshake (TLS extension, stapled OCSP response); browsers refuse it: find out who "
        "ordered it, and let a CA issue one with embedded SCTs"
    )
    assert {finding.ct for finding in findings} == {"not-logged"}
    assert findings[0].certificate == findings[0].leaf
    assert logged(judging, served(PLAIN)) == ["not-logged"]
    assert "2 are needed for a lifetime of 91 days" in findings[1].message
    assert 'judged by the list "own 1" (0 days old)' in findings[1].message


def test_what_nobody_asked_for_is_not_missing() -> None:
    """A handshake that could not show SCTs: never "not logged", no policy broken, and it is said that it is not known."""
    judging = judge()
    (finding,) = judging.endpoint(served(PLAIN, scts=None))
    assert (codes([finding]), finding.severity, finding.ct) == (["610"], Severity.INFO, "unknown")
    assert "whether the server sends some in the handshake could not be seen in full" in finding.message
    assert logged(judging, served(PLAIN, scts=None)) == ["unknown"]


def test_a_staple_that_cannot_be_read_may_have_had_scts() -> None:
    """Its SCTs are not known, so the verdict is not either; the rule on staples says what is wrong with it."""
    findings = judge().endpoint(served(PLAIN, staple=b"junk"))
    assert codes(findings) == ["232", "610"]
    assert "SCTs in the stapled OCSP response are not known" in findings[1].message
    assert {finding.ct for finding in findings} == {"unknown"}


def test_scts_of_the_tls_extension_count() -> None:
    """Two of two operators: the certificate is logged and every browser content."""
    judging = judge()
    assert judging.endpoint(served(PLAIN, scts=LATE)) == ()
    assert logged(judging, served(PLAIN, scts=LATE)) == ["logged"]


def test_scts_in_a_staple_count_but_not_for_chrome() -> None:
    """It is logged; Chrome no longer takes SCTs by that way."""
    findings = judge().endpoint(served(PLAIN, staple=ct_forge.stapled(LATE)))
    assert [code for code in codes(findings) if code > "600"] == ["605"]
    assert "do not count since Chrome 148" in next(one for one in findings if one.rule.code == "DCS605").message
    assert {finding.ct for finding in findings} == {"logged"}


def test_one_bad_sct_beside_good_ones() -> None:
    """It is told with log, time and reason; the others make the certificate logged and acceptable."""
    leaf = embedded(ONE.sct(over()), TWO.sct(over()), spoilt(THREE.sct(over())))
    (finding,) = judge().endpoint(served(leaf))
    assert (codes([finding]), finding.severity, finding.ct) == (["602"], Severity.ERROR, "logged")
    assert 'embedded SCT of log "log three", made at 2026-06-01T12:00:00+00:00' in finding.message
    assert "the signature is not by the key of the log over this" in finding.message


def test_only_bad_scts() -> None:
    """Nothing proves that it is logged, and all of it was judged."""
    findings = judge().endpoint(served(embedded(spoilt(ONE.sct(over())), spoilt(TWO.sct(over())))))
    assert codes(findings) == ["601", "602", "605", "606", "607"]
    assert "it has 2 SCTs, and none of them is valid" in findings[0].message


def test_octets_that_are_no_list() -> None:
    """Invalid, but what it was meant to hold nobody knows: no word of "not logged"."""
    leaf = Certificate(ct_forge.LEAF.with_(ct_forge.embedding(b"\0\xffjunk")).signed_by(CA))
    findings = judge().endpoint(served(leaf))
    assert "602" in codes(findings)
    assert "601" not in codes(findings)
    assert {finding.ct for finding in findings} == {"unknown"}


def test_an_sct_of_a_log_that_is_not_listed() -> None:
    """A warning with the id of the log; beside good ones it does not matter otherwise."""
    leaf = embedded(ONE.sct(over()), TWO.sct(over()), STRANGER.sct(over()))
    (finding,) = judge().endpoint(served(leaf))
    assert (codes([finding]), finding.severity) == (["603"], Severity.WARNING)
    assert "is not in the list own 1" in finding.message
    assert "dnscertscan ct loglist update" in finding.message


def test_only_logs_that_are_not_listed() -> None:
    """Browsers refuse it by their lists; whether it is logged is not known."""
    findings = judge().endpoint(served(embedded(STRANGER.sct(over()))))
    assert codes(findings) == ["603", "605", "606", "607"]
    assert {finding.ct for finding in findings} == {"unknown"}


def test_with_an_old_list_an_unknown_log_says_little() -> None:
    """Information per certificate, and one word for the run on the list: it hangs on that."""
    judging = judge(logs=replace(LIST, timestamp=NOW - 71 * DAY))
    seen = [served(embedded(ONE.sct(over()), STRANGER.sct(over()))), served(GOOD)]
    (finding,) = judging.endpoint(seen[0])
    assert (codes([finding]), finding.severity) == (["603"], Severity.INFO)
    (told,) = (finding for finding in judging.fleet(seen) if finding.rule.code.startswith("DCS6"))
    assert told.rule.slug == "ct-unknown"
    assert 'the list of logs "own 1" is 71 days old, browsers enforce up to 70' in told.message
    assert "verdicts on 2 certificates hang on it" in told.message


def test_an_old_list_by_which_all_is_well() -> None:
    """Logs come and go: that all is well is said by a list no browser would use, and that is told, once."""
    judging = judge(logs=replace(LIST, timestamp=NOW - 71 * DAY))
    assert judging.endpoint(served(GOOD)) == ()
    assert [finding.severity for finding in judging.fleet([served(GOOD)])] == [Severity.INFO]
    assert judge(logs=replace(LIST, timestamp=NOW - 69 * DAY)).fleet([served(GOOD)]) == ()


def test_an_sct_of_a_mimic_log() -> None:
    """Anybody can have made it: told apart from a mere invalid one."""
    mimic = b"\0" + next(iter(MIMICS)) + ONE.sct(over())[33:]
    findings = judge().endpoint(served(embedded(ONE.sct(over()), TWO.sct(over()), mimic)))
    assert codes(findings) == ["604"]
    assert "whose private key is published" in findings[0].message


def test_logs_of_one_operator_are_not_enough() -> None:
    """Logged, but every browser wants two operators."""
    findings = judge().endpoint(served(embedded(ONE.sct(over()), THREE.sct(over()))))
    assert codes(findings) == ["605", "606", "607"]
    assert [finding.severity for finding in findings] == [Severity.ERROR, Severity.WARNING, Severity.WARNING]
    assert all(message.startswith(f"CT policy of {whose} is not met: ") for message, whose in zip(
        [finding.message for finding in findings], ["Chrome", "Apple", "Mozilla"], strict=True
    ))
    assert {finding.ct for finding in findings} == {"logged"}


def test_an_sct_from_the_future_is_no_invalid_one() -> None:
    """The log did sign it: which clock is wrong is not known. Five minutes are nothing."""
    tomorrow = [log.sct(over(), NOW + DAY) for log in (ONE, TWO)]
    findings = judge().endpoint(served(embedded(*tomorrow)))
    assert "602" not in codes(findings)
    assert "601" not in codes(findings)
    assert "610" in codes(findings)
    soon = [log.sct(over(), NOW + timedelta(minutes=4)) for log in (ONE, TWO)]
    assert judge().endpoint(served(embedded(*soon))) == ()


