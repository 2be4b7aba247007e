"""Every guard of a list of logs: what it refuses, what it leaves out, and that it says the next step."""

import json
from datetime import timedelta

import pytest
from servers import ct_data
from servers.log_lists import NOW, b64, document, entry, key_pem, log_id, log_key, moment, sign

from dnscertscan.ct.loglist import examine_file
from dnscertscan.ct.loglist_guards import Seal, age_problem, examine
from dnscertscan.ct.loglist_signature import google_key
from dnscertscan.ct.loglist_values import Examined, Weight
from dnscertscan.model.ct import LogList
from dnscertscan.pki.mimics import MIMICS

MINE = Seal(waived=True)
LISTS = [
    f"chrome_v3_{day}"
    for day in ("2023-03-09", "2023-09-01", "2024-01-02", "2024-07-01", "2025-01-02", "2025-07-01", "2025-11-01", "2026-01-03")
]


def look(raw: bytes, seal: Seal = MINE, kept: LogList | None = None) -> Examined:
    return examine(raw, "list.json", seal, NOW, kept)


def good(raw: bytes) -> LogList:
    found = look(raw)
    assert found.log_list
    assert found.clean
    return found.log_list


def refusals(found: Examined) -> list[str]:
    """What each refusal says; every one has a next step."""
    assert all(one.step for one in found.objections if one.weight is not Weight.NOTE)
    return [one.problem for one in found.objections if one.weight is Weight.REFUSED]


@pytest.mark.parametrize("name", LISTS)
def test_real_signatures(name: str) -> None:
    """Each dated list is signed by Google, and every guard lets it pass on its day; one octet changed, and it is refused."""
    raw, signature = ct_data.read(f"loglists/{name}.json"), ct_data.read(f"loglists/{name}.sig")
    found = examine(raw, name, Seal(signature), moment(name[-10:]) + timedelta(days=2))
    assert (found.clean, found.refused) == (True, False)
    assert found.log_list
    assert (found.log_list.name, found.log_list.signed) == ("google", True)
    for changed in (raw.replace(b"Google", b"Goggle", 1), raw + b"\n", b" " + raw):
        again = examine(changed, name, Seal(signature), NOW)
        assert again.refused
        assert any("Google's key" in words for words in refusals(again))
        assert again.log_list
        assert not again.log_list.signed
    assert examine(raw, name, Seal(signature[:-1] + bytes([signature[-1] ^ 1])), NOW).refused
    assert examine(raw, name, Seal(signature, key_pem()), NOW).refused


def test_our_key_is_googles() -> None:
    """The key that ships is the one that signed the real lists."""
    assert google_key() == ct_data.read("loglists/google_log_list_pubkey.pem")


def test_without_a_signature() -> None:
    """Refused, with the way out; the operator's word makes it his own list, and marks it."""
    raw = document([entry(1)])
    assert refusals(look(raw, Seal())) == ["it has no signature"]
    mine = good(raw)
    assert (mine.name, mine.signed) == ("own", False)


def test_a_key_of_ones_own() -> None:
    """Signed by the key that is named: taken, marked as signed, but never under Google's name."""
    raw = document([entry(1)])
    found = look(raw, Seal(sign(raw), key_pem()))
    assert found.clean
    assert found.log_list
    assert (found.log_list.name, found.log_list.signed) == ("own", True)
    assert "is not by this key" in refusals(look(raw, Seal(sign(raw, 1), key_pem())))[0]
    assert "is not by this key" in refusals(look(raw, Seal(sign(raw))))[0]


@pytest.mark.parametrize(
    ("key", "words"),
    [(b"", "no public key in PEM"), (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key in PEM"),
     (b"-----BEGIN PUBLIC KEY-----\n" + b64(log_key(1)).encode() + b"\n-----END PUBLIC KEY-----\n", "no RSA key")],
)
def test_keys_that_are_none(key: bytes, words: str) -> None:
    """A file that is no RSA public key is said to be none."""
    raw = document([entry(1)])
    assert words in refusals(look(raw, Seal(sign(raw), key)))[0]


def test_apples_name() -> None:
    """Apple's list is known by its shape."""
    raw = json.loads(document([entry(1)])) | {"assetVersion": 1}
    assert good(json.dumps(raw).encode()).name == "apple"


def test_mimics_are_left_out() -> None:
    """By their id, whatever the list calls them; the others stay. A brown-out list with mimics alone is refused."""
    mimics = json.loads(ct_data.read("loglists/mimic_denylist.json"))["mimics"]
    assert {bytes(entry_id) for entry_id in MIMICS} == {ct_data.b64decode(one["log_id"]) for one in mimics}
    false = [entry(9, log_id=one["log_id"], key=one["key"], description="Google 'Argon2027h1'") for one in mimics]
    found = look(document([entry(1), *false]))
    assert [one.weight for one in found.objections] == [Weight.LEFT_OUT] * 2
    assert "private key is public" in found.objections[0].problem
    assert found.log_list
    assert set(found.log_list.logs) == {log_id(1)}
    assert (found.refused, found.clean) == (False, False)
    assert refusals(look(document(false))) == ["it has no log that can be used"]


def test_mimic_by_id_alone() -> None:
    """The denylist is in the package: a list that gives a mimic's id to another key is refused for that, and the log left out."""
    found = look(document([entry(1), entry(2, log_id=b64(next(iter(MIMICS))))]))
    assert found.log_list
    assert set(found.log_list.logs) == {log_id(1)}
    assert not found.clean


def test_ids() -> None:
    """Two entries with one id, also across the kinds of logs; an id that is not the digest of its key."""
    twice = f"log Log 1 ({log_id(1).hex()[:16]}) is in it 2 times"
    assert refusals(look(document([entry(1), entry(1, description="twin")]))) == [twice]
    assert "is in it 2 times" in refusals(look(document([entry(1)], tiled=[entry(1, tiled=True)])))[0]
    assert "its log_id is not the SHA-256 of its key" in refusals(look(document([entry(1), entry(2, log_id=b64(log_id(3)))])))[0]


def test_rollback() -> None:
    """An older list than the one in use is refused; the same one again, or a newer one, is not."""
    kept = good(document([entry(1)], timestamp="2027-02-20T12:00:00Z"))
    (words,) = refusals(look(document([entry(1)], timestamp="2027-02-20T11:59:59Z"), kept=kept))
    assert "older than the one in use of 2027-02-20 12:00 UTC" in words
    assert look(document([entry(1)], timestamp="2027-02-20T12:00:00Z"), kept=kept).clean
    assert look(document([entry(1)], timestamp="2027-02-21T12:00:00Z"), kept=kept).clean


def test_shrinkage() -> None:
    """Less than half of the logs that must still be there: refused. Half of them is taken, and shards that are over may go."""
    kept = good(document([entry(number) for number in range(10)]))
    (words,) = refusals(look(document([entry(number) for number in range(4)]), kept=kept))
    assert "4 logs where the one in use has 10" in words
    assert look(document([entry(number) for number in range(5)]), kept=kept).clean
    over = {"start_inclusive": "2026-01-01T00:00:00Z", "end_exclusive": "2027-01-01T00:00:00Z"}
    shards = [entry(number, temporal_interval=over) for number in range(8)]
    kept = good(document([*shards, entry(8), entry(9)]))
    assert look(document([entry(8)]), kept=kept).clean
    assert look(document(shards), kept=kept).refused


def test_the_future() -> None:
    """A list of tomorrow would lock out all lists until then; a clock that is some hours wrong does no harm."""
    assert "in the future" in refusals(look(document([entry(1)], timestamp="2027-03-03T12:00:00Z")))[0]
    assert look(document([entry(1)], timestamp="2027-03-02T00:00:00Z")).clean


def test_every_guard_is_heard() -> None:
    """One that objects does not keep the others from being asked, refusals come first, and each line is printable."""
    raw = document([entry(1), entry(1), entry(2, mmd=0), entry(3, url="https://log.example/")], timestamp="2026-01-01T00:00:00Z")
    found = look(raw, Seal(b"x" * 256), good(document([entry(number) for number in range(9)])))
    assert [one.weight for one in found.objections] == [Weight.REFUSED] * 4 + [Weight.LEFT_OUT] + [Weight.NOTE] * 2
    assert all(str(one).isprintable() for one in found.objections)


def test_age() -> None:
    """From the seventy-first day on a warning with the command to run."""
    mine = good(document([entry(1)]))
    assert age_problem(mine, mine.timestamp + timedelta(days=70)) == ""
    words = age_problem(mine, mine.timestamp + timedelta(days=71))
    assert "71 days old" in words
    assert "dnscertscan ct loglist update" in words


def test_the_mark_of_a_file(tmp_path) -> None:
    """A file with a signature beside it is signed; without one it is the operator's own."""
    raw = document([entry(1)])
    for name, octets in (("l.json", raw), ("l.sig", sign(raw)), ("k.pem", key_pem())):
        (tmp_path / name).write_bytes(octets)
    signed = examine_file(tmp_path / "l.json", tmp_path / "l.sig", tmp_path / "k.pem", NOW).log_list
    mine = examine_file(tmp_path / "l.json", None, None, NOW).log_list
    assert signed
    assert mine
    assert (signed.signed, mine.signed) == (True, False)
