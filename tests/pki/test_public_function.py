"""The public function `dnscertscan.diagnose`."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from pki.changes import make
from pki.forge import NOW

import dnscertscan
from dnscertscan.demo.authority import Authority, new_key
from dnscertscan.pki import signatures
from dnscertscan.pki.memory import Kept

CASE = make()
CHAINS = st.lists(st.binary(max_size=80) | st.sampled_from(CASE.chain), max_size=6)


def test_shape_of_the_answer() -> None:
    """`valid` and `problems`, each with code, slug, severity, message and certificate."""
    found = dnscertscan.diagnose(CASE.chain, "other.example", CASE.anchors, NOW)
    assert not found.valid
    (problem,) = found.problems
    assert (problem.code, problem.slug, problem.severity) == ("DCS110", "hostname-mismatch", "error")
    assert problem.message.startswith("subject does not match hostname: ")
    assert problem.certificate is not None
    assert (problem.certificate.position, problem.certificate.subject) == (0, "CN=www.example.com,O=Forge")
    assert (problem.certificate.issuer, problem.certificate.serial) == ("CN=Forge Int,O=Forge", "112233")
    assert len(problem.certificate.sha256) == 64


def test_an_anchor_has_no_position() -> None:
    """Position is None for an anchor that was not sent."""
    case = make("root-expired")
    (problem,) = dnscertscan.diagnose(case.chain, case.name, case.anchors, NOW).problems
    assert problem.certificate is not None
    assert problem.certificate.position is None


def test_times_must_be_aware() -> None:
    """A naive time is a mistake of the caller; any zone will do."""
    with pytest.raises(ValueError, match="aware"):
        dnscertscan.diagnose(CASE.chain, CASE.name, CASE.anchors, datetime(2026, 6, 1))  # noqa: DTZ001 -- the mistake under test
    assert dnscertscan.diagnose(CASE.chain, CASE.name, CASE.anchors, NOW.astimezone(timezone(timedelta(hours=9)))).valid


def test_internationalised_names() -> None:
    """U-labels and A-labels ask for the same name, by IDNA 2008."""
    case = make("alabel")
    assert dnscertscan.diagnose(case.chain, "bücher.example", case.anchors, NOW).valid
    assert dnscertscan.diagnose(case.chain, "XN--bcher-KVA.example", case.anchors, NOW).valid


def test_unknown_names_of_the_package_are_errors() -> None:
    """The lazy export does not swallow misspellings."""
    with pytest.raises(AttributeError, match="diagnoze"):
        _ = dnscertscan.diagnoze


def test_importing_the_package_is_cheap() -> None:
    """`import dnscertscan` loads no cryptography; the function does when asked for."""
    asked = "print('cryptography' in sys.modules)"
    script = f"import sys, dnscertscan; {asked}; dnscertscan.diagnose; {asked}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == ["False", "True"]


@settings(max_examples=60, deadline=None)
@given(CHAINS, st.text(max_size=20), st.lists(st.binary(max_size=50), max_size=3))
def test_anything_gets_an_answer(chain: list[bytes], name: str, anchors: list[bytes]) -> None:
    """Random lists, names and anchors: never valid, always a reason, never an exception."""
    found = dnscertscan.diagnose(chain, name, anchors, NOW)
    assert not found.valid
    assert found.problems


def test_a_thousand_a_second() -> None:
    """Cold leaf, warm anchors: well under two milliseconds each even on a busy machine (the benchmark shows under one)."""
    now = datetime(2026, 6, 1, tzinfo=UTC)
    authority, key = Authority.root("Fast", now=now), new_key()
    below = authority.intermediate("Fast CA")
    chains = [[made.public_bytes(Encoding.DER) for made in below.leaf(f"h{n}.example.com", key=key).chain] for n in range(200)]
    anchors = [authority.certificate.public_bytes(Encoding.DER)]
    assert dnscertscan.diagnose(chains[0], "h0.example.com", anchors, now).problems == ()
    start = time.process_time()
    for number, chain in enumerate(chains):
        assert dnscertscan.diagnose(chain, f"h{number}.example.com", anchors, now).valid
    assert (time.process_time() - start) / len(chains) < 0.002


def test_answers_do_not_depend_on_what_was_asked_before() -> None:
    """The budget counts remembered signature checks as well, so caches never change a verdict."""
    first = dnscertscan.diagnose(CASE.chain, CASE.name, CASE.anchors, NOW)
    signatures._MEMORY = Kept(1)
    assert dnscertscan.diagnose(CASE.chain, CASE.name, CASE.anchors, NOW) == first
