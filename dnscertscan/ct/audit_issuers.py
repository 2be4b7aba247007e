"""Who issued a certificate, by signatures: over the certificates sent, those given along, and the anchors of trust stores."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dnscertscan.errors import UsageError
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.text import visible
from dnscertscan.pki.bundle import read_bundle
from dnscertscan.pki.dn import DistinguishedName
from dnscertscan.pki.parse import Facts, parse
from dnscertscan.pki.signatures import Budget
from dnscertscan.pki.truststore import SYSTEM, TrustStore
from dnscertscan.settings.values import parse_issuer

_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True)
class Pins:
    """The CAs that may issue: SHA-256 of their public keys (SubjectPublicKeyInfo), lower-case hexadecimal; none: any CA.

    ``certificates`` are those that were named by file: they help to find issuers, too.
    """

    keys: frozenset[str] = frozenset()
    certificates: tuple[Certificate, ...] = ()


def read_pins(texts: Iterable[str], read: Callable[[Path], bytes]) -> Pins:
    """``sha256:HEX`` (colons allowed) or the path of a PEM or DER file, each; :class:`UsageError` for anything else."""
    keys: set[str] = set()
    certificates: list[Certificate] = []
    for text in texts:
        pin = parse_issuer(text)
        if pin.startswith(_PREFIX):
            keys.add(pin[len(_PREFIX) :])
            continue
        found = read_certificates(Path(text), read)
        if not all(parse(one).key.spki for one in found):
            raise UsageError(f"issuer {visible(text, 300)}: the public key of a certificate in it cannot be read")
        keys.update(parse(one).key.digest.hex() for one in found)
        certificates += found
    return Pins(frozenset(keys), tuple(certificates))


def read_certificates(path: Path, read: Callable[[Path], bytes]) -> tuple[Certificate, ...]:
    """All certificates of a file of issuers; :class:`UsageError` when there is none."""
    found, problems = read_bundle(read(path))
    if not found:
        raise UsageError(f"{path}: {problems[-1]}")
    return found


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The issuers that were found: those whose key signed the certificate, and everything above them, each by its signature."""

    direct: tuple[Facts, ...]
    all: tuple[Facts, ...]

    @property
    def keys(self) -> frozenset[str]:
        """SHA-256 of the keys of all of them."""
        return frozenset(facts.key.digest.hex() for facts in self.all)


class Issuers:
    """Certificates that may be an issuer, by name: ``known``, then the anchors of ``public`` and ``private`` stores."""

    def __init__(
        self, known: Iterable[Certificate], public: Sequence[TrustStore] = (), private: Sequence[TrustStore] = ()
    ) -> None:
        self._given = TrustStore("given", known)
        self._public, self._private = tuple(public), tuple(private)

    def candidates(self, leaf: Certificate) -> Sequence[Certificate]:
        """Those with the name of the issuer of ``leaf``; whether one of them is its issuer is not checked."""
        return [facts.certificate for facts in self._named(parse(leaf).issuer)]

    def ancestry(self, chain: Sequence[Certificate]) -> Ancestry:
        """The issuers of ``chain[0]``: those sent with it come first."""
        sent, budget, leaf = TrustStore("sent", chain), Budget(), parse(chain[0])
        found: dict[str, Facts] = {}
        direct: list[Facts] = []
        below = [leaf]
        while below:
            child = below.pop(0)
            for facts in (*sent.by_subject(child.issuer), *self._named(child.issuer)):
                if facts.sha256 in found or facts.key.refused or not budget.is_signed(facts, child):
                    continue
                found[facts.sha256] = facts
                if child is leaf:
                    direct.append(facts)
                if not facts.is_self_issued:
                    below.append(facts)
        return Ancestry(tuple(direct), tuple(found.values()))

    def is_public(self, ancestry: Ancestry) -> bool | None:
        """Whether a way up leads to an anchor of a public store; False: only to a private one; None: to none that is known.

        The store of this machine makes no CA public: an administrator may have put one of his own there.
        """
        public = [store for store in self._public if store.name != SYSTEM]
        if any(store.has(facts) for facts in ancestry.all for store in public):
            return True
        return False if any(store.has(facts) for facts in ancestry.all for store in self._private) else None

    def _named(self, name: DistinguishedName) -> list[Facts]:
        stores = (self._given, *self._private, *self._public)
        return list({facts.sha256: facts for store in stores for facts in store.by_subject(name)}.values())
