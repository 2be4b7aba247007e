"""Several trust stores: consensus once, disagreement by name."""

from dataclasses import replace

from pki import forge
from pki.changes import make
from pki.worlds import Case, other_root

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.findings import Severity
from dnscertscan.pki.diagnose import examine
from dnscertscan.pki.fault import Diagnosis
from dnscertscan.pki.truststore import TrustStore

OTHER = other_root().signed_by(other_root())


def _stores(case: Case) -> tuple[TrustStore, TrustStore]:
    return TrustStore("mine", map(Certificate, case.anchors)), TrustStore("other", [Certificate(OTHER)])


def _look(case: Case, *stores: TrustStore) -> Diagnosis:
    return examine(tuple(map(Certificate, case.chain)), case.name, stores, case.at)


def test_what_holds_for_all_stores_is_said_once() -> None:
    """A fault of the leaf does not depend on the store, and no store is named."""
    case = make("wrong-name", "leaf-expired")
    found = _look(case, _stores(case)[0], replace_name(_stores(case)[0], "twin"))
    assert [(fault.slug, fault.stores) for fault in found.faults] == [("cert-expired", ()), ("hostname-mismatch", ())]
    assert found.valid_for == {"mine": False, "twin": False}


def replace_name(store: TrustStore, name: str) -> TrustStore:
    return TrustStore(name, store.anchors)


def test_disagreement_names_both_sides_and_is_a_warning() -> None:
    """Trusted by one store and not by the other: one warning with the reason, and a verdict for each."""
    case = make()
    found = _look(case, *reversed(_stores(case)))
    assert [(fault.slug, fault.stores) for fault in found.faults] == [("store-disagreement", ("other",))]
    assert found.faults[0].message.startswith(
        "trusted by some stores, not by others: trusted by mine; not by other (unable to get local issuer certificate: "
    )
    assert found.valid_for == {"other": False, "mine": True}
    assert not found.valid
    assert [ref.position for ref in found.path] == [0, 1, None]


def test_stores_that_refuse_for_different_reasons() -> None:
    """No store accepts, each for its own reason: each fault names its stores."""
    expired = make("root-expired")
    case = make()
    stale = TrustStore("stale", map(Certificate, expired.anchors))
    found = _look(replace(case, anchors=expired.anchors), stale, _stores(case)[1])
    reasons = {(fault.slug, fault.stores) for fault in found.faults}
    assert reasons == {("cert-expired", ("stale",)), ("issuer-not-found", ("other",))}


def test_untrusted_by_all_is_one_fault() -> None:
    """The same reason in every store is one fault without store names."""
    case = make("untrusted")
    found = _look(case, *(TrustStore(name, [Certificate(OTHER)]) for name in "abc"))
    assert [(fault.slug, fault.stores) for fault in found.faults] == [("issuer-not-found", ())]


def test_the_best_path_over_all_stores_decides() -> None:
    """A cross-signed chain that only a newer root validates is valid there; the expired way is information."""
    case = make("cross-signed-expired")
    found = _look(case, *_stores(case))
    assert found.valid_for["mine"]
    assert [fault.severity for fault in found.faults if fault.slug == "cert-expired"] == [Severity.INFO]


def test_no_store_is_no_trust() -> None:
    """Without any store nothing is valid, and the reason is said."""
    found = _look(make())
    assert not found.valid
    assert [fault.slug for fault in found.faults] == ["issuer-not-found"]


def test_duplicate_and_broken_anchors_do_no_harm() -> None:
    """Anchors given twice count once, those that cannot be read are kept apart."""
    case = make()
    store = TrustStore("mine", [*map(Certificate, case.anchors * 3), Certificate(b"junk"), Certificate(b"")])
    assert (len(store), len(store.unusable)) == (1, 2)
    assert _look(case, store).valid
    anchor = store.anchors[0]
    assert anchor in store
    assert "mine" in repr(store)
    root = forge.root_spec()
    assert [facts.certificate for facts in store.by_key_id(forge.key_id(root.private))] == [anchor]
