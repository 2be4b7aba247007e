"""The map of CAs: keys of real ones lead to their CAA domains; what it does not know is not there."""

import json
from importlib import resources
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from servers import ct_data
from servers.judging import NOW

from dnscertscan.checks import ct_ca
from dnscertscan.ct import ca_map, make_ca_map
from dnscertscan.ct.ca_map import ca_domains, read
from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.parse import parse

FILE = resources.files("dnscertscan.ct").joinpath("data", ca_map.FILE)
OURS = {"format": ca_map.FORMAT, "cas": [
    {"name": "House", "domains": ["B.example", "a.example"], "organisations": ["Example Trust"], "keys": []},
]}


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("issuers/e7.pem", "letsencrypt.org"), ("issuers/r12.pem", "letsencrypt.org"), ("issuers/int-ye1.pem", "letsencrypt.org"),
        ("certs/google.com.pem", "pki.goog"), ("certs/amazon.com.pem", "digicert.com"), ("certs/bing.com.pem", "microsoft.com"),
        ("certs/aws.amazon.com.pem", "amazon.com"),
    ],
)
def test_real_cas(name: str, domain: str) -> None:
    """The CA of a real chain is known, and goes by the domain that its practice statement names."""
    chain = ct_data.chain(name)
    issuer = parse(chain[min(1, len(chain) - 1)])
    known = ca_domains()
    domains = known[issuer.key.digest.hex()]
    assert domain in domains
    assert known[f"keyid:{(issuer.extensions.subject_key or b'').hex()}"] == domains
    assert known[f"name:{issuer.key.digest.hex()}"]


def test_a_ca_that_nobody_knows_is_not_there() -> None:
    """Unknown is not a domain."""
    key = parse(Certificate(Authority.root("x", now=NOW).certificate.public_bytes(Encoding.DER))).key.digest.hex()
    assert key not in ca_domains()
    assert not any(mark.removeprefix("keyid:") in ("", "None") for mark in ca_domains())


def test_the_file_is_in_good_order() -> None:
    """Digests are digests, domains are names in lower case, each key is of one CA."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    keys = [key["sha256"] for ca in data["cas"] for key in ca["keys"]]
    assert len(keys) == len(set(keys)) > 150
    assert all(len(key) == 64 and bytes.fromhex(key).hex() == key for key in keys)
    assert all(domain == domain.lower() and "." in domain for ca in data["cas"] for domain in ca["domains"])
    assert ca_domains()["org:let's encrypt"] == ("Let's Encrypt",)
    assert len(FILE.read_bytes()) < 200_000


def test_both_sides_mean_the_same_marks() -> None:
    """The stage that reads the map and the rules that use it know nothing of each other but this."""
    assert (ca_map.KEY_ID, ca_map.NAME, ca_map.ORGANISATION) == (ct_ca.KEY_ID, ct_ca.NAME, ct_ca.ORGANISATION)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=R11,O=Let's Encrypt,C=US", "CN=E7,O=Let's Encrypt,C=US"),
        ("CN=R3,O=Let's Encrypt,C=US", "C=US, O=Let's Encrypt, CN=R99"),
        ("CN=Go Daddy Secure CA,O=GoDaddy.com\\, Inc.,L=Scottsdale", "CN=X,O=GODADDY.COM\\, INC.,C=US"),
        ("CN=WR2,O=Google Trust Services,C=US", "CN=WE1,O=Google Trust Services LLC,C=US"),
    ],
)
def test_keys_of_one_ca_are_told_by_the_organisation(one: str, other: str) -> None:
    """For telling a renewal; another CA has nothing in common with it."""
    assert ct_ca.family(one, ca_domains()) & ct_ca.family(other, ca_domains())
    assert not ct_ca.family(one, ca_domains()) & ct_ca.family("CN=SwissSign RSA TLS DV,O=SwissSign AG,C=CH", ca_domains())
    assert not ct_ca.family("", ca_domains())


def test_a_map_is_made_of_certificates(tmp_path: Path) -> None:
    """Keys come to the CA with the organisation; made again it is the same, octet for octet."""
    authority = Authority.root("House Root", now=NOW)
    below = authority.intermediate("House Issuer")
    pem = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (authority, below))
    leaf = below.leaf("www.example.com").certificate.public_bytes(Encoding.PEM)
    (tmp_path / "ca.pem").write_bytes(pem + leaf)
    place = tmp_path / "map.json"
    place.write_text(json.dumps(OURS))
    assert make_ca_map.main([str(tmp_path / "ca.pem"), "-o", str(place)]) == 0
    first = place.read_text()
    found = read(first)
    issuer = parse(Certificate(below.certificate.public_bytes(Encoding.DER)))
    assert found[issuer.key.digest.hex()] == ("a.example", "b.example")
    assert found[f"name:{issuer.key.digest.hex()}"] == found["org:example trust"] == ("House",)
    assert len(json.loads(first)["cas"][0]["keys"]) == 2
    assert make_ca_map.main([str(tmp_path / "ca.pem"), "-o", str(place)]) == 0
    assert place.read_text() == first


@pytest.mark.parametrize("text", ['{"format": "other", "cas": []}', "no json", None])
def test_what_is_no_map_is_refused(tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, and the file stays as it is."""
    place = tmp_path / "map.json"
    if text is not None:
        place.write_text(text)
        with pytest.raises(ValueError, match=r"format|Expecting"):
            read(text)
    assert make_ca_map.main([str(place), "-o", str(place)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not place.exists() or place.read_text() == text
