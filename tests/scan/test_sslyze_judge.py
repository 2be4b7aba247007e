"""Verdicts shared by names that fare alike are the verdicts SSLyze gives when it is asked for each name alone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DNSName, IPAddress, load_der_x509_certificate, load_pem_x509_certificates
from servers.scanning import clock, der
from sslyze.plugins.certificate_info.trust_stores.trust_store import TrustStore

from dnscertscan.demo.authority import Authority
from dnscertscan.scan import sslyze_judge
from dnscertscan.scan.sslyze_judge import Chain, judge, stores

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number:Warning")
NAMES = [
    "a.test", "b.test", "www.a.test", "x.y.a.test", "A.test", "c.b.test", "xn--bcher-kva.test", "127.0.0.1", "192.0.2.7", "::1",
]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """An authority that one of the stores trusts, so that there are good verdicts, too."""
    authority = Authority.root("Trusted Root", now=clock())
    path = tmp_path_factory.mktemp("stores") / "own.pem"
    path.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    judged_by = stores()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sslyze_judge, "stores", lambda: (TrustStore(path, "Own", "1"), *judged_by))
        sslyze_judge._verdicts.clear()
        sslyze_judge._one_root.cache_clear()
        yield authority
    sslyze_judge._verdicts.clear()
    sslyze_judge._one_root.cache_clear()


def _chains(own: Authority) -> dict[str, Chain]:
    now, middle = clock(), own.intermediate("Middle")
    stranger = Authority.root("Stranger", now=now)
    good = middle.leaf("a.test", "*.a.test")
    return {
        "good": der(good), "incomplete": der(good)[:1], "direct": der(own.leaf("a.test", "b.test")),
        "stranger": der(stranger.intermediate("Other").leaf("a.test", "127.0.0.1")),
        "expired": der(middle.leaf("a.test", not_after=now - timedelta(days=1))),
        "many names": der(middle.leaf("*.test", "b.test", "*.b.test", "xn--bcher-kva.test")),
        "an authority": (middle.certificate.public_bytes(Encoding.DER),),
    }


def test_shared_verdicts_are_the_same_as_single_ones(own: Authority) -> None:
    """For every list and every name: store by store the same word, the same reason, in whatever order they are asked."""
    at, compared, trusted = clock(), 0, 0
    for chain in _chains(own).values():
        pems = [load_der_x509_certificate(one).public_bytes(Encoding.PEM).decode() for one in chain]
        for name in (*NAMES, *reversed(NAMES)):
            asked = IPAddress(sslyze_judge.ip_address(name)) if name[0].isdigit() or ":" in name else DNSName(name)
            verdicts, unjudged = judge(chain, name, at)
            assert unjudged == ""
            for store, (said, good, reason) in zip(sslyze_judge.stores(), verdicts, strict=True):
                alone = store.verify_certificate_chain(pems, asked, at)
                assert (said, good, reason) == (store.name, alone.was_validation_successful, alone.validation_error)
                compared, trusted = compared + 1, trusted + good
    assert compared == 7 * 20 * 6
    assert trusted > 10
    assert len(sslyze_judge._verdicts) < 7 * 4  # that is what sharing is for


def test_names_that_cannot_be_asked_for(own: Authority) -> None:
    """A name the library refuses leaves every list unjudged, whatever other names got for it."""
    chain = _chains(own)["good"]
    assert judge(chain, "a.test", clock())[0]
    verdicts, unjudged = judge(chain, "_dmarc.a.test", clock())
    assert (verdicts, "SSLyze cannot judge it: ValueError" in unjudged) == ([], True)


def test_time_counts(own: Authority) -> None:
    """A list that has expired since it was last judged is judged anew."""
    chain, now = _chains(own)["good"], clock()
    assert judge(chain, "a.test", now)[0][0][1] is True
    assert judge(chain, "a.test", now + timedelta(days=4000))[0][0][1] is False


def test_the_root_that_helps_is_a_real_one() -> None:
    """The store that is asked about leaf and name alone has one certificate."""
    path = stores()[0].path
    assert len(load_pem_x509_certificates(path.read_bytes())[:1]) == 1
