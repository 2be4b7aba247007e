"""A chain judged whatever name is asked for, and what the name then adds: the chain costs much and comes often, names differ."""

from dataclasses import dataclass, replace

from dnscertscan.pki.fault import Diagnosis, Fault
from dnscertscan.pki.names import Offer, ask
from dnscertscan.pki.rules_leaf import name_faults
from dnscertscan.pki.wording import is_error


@dataclass(frozen=True, slots=True)
class JudgedChain:
    """Everything about one chain that the name has no part in. Keeps no certificates, only how findings name them."""

    plain: Diagnosis
    """The diagnosis without a name."""
    readable: bool = False
    """The first certificate can be read; else no name is compared."""
    offer: Offer | None = None
    common: str | None = None
    """As :func:`~dnscertscan.pki.rules_leaf.name_faults` takes them."""
    name_at: int = 0
    """Where in ``plain.faults`` those of the name belong."""
    order_at: tuple[int, int] = (0, 0)
    """The range of ``plain.faults`` that is the fault of the order, empty when there is none."""
    better: tuple[tuple[Offer, Fault], ...] = ()
    """Server certificates sent behind a CA certificate; for whom one of them is, gets that fault in place of the one above."""

    def for_name(self, name: str) -> Diagnosis:
        """The diagnosis for ``name``, as :func:`~dnscertscan.pki.diagnose.examine` takes it; never raises."""
        leaf = self.plain.leaf
        if leaf is None or not self.readable or not name.strip():
            return self.plain
        asked = ask(name)
        if self.offer is not None and self.offer.has(asked):
            return self.plain
        faults = self.plain.faults
        named = tuple(name_faults(self.offer, self.common, leaf, asked, name))
        order = next(((fault,) for offer, fault in self.better if offer.has(asked)), None)
        if order is None and not named:
            return self.plain
        start, stop = self.order_at
        between = faults[self.name_at : start]
        together = (*faults[: self.name_at], *named, *between, *(order or faults[start:stop]), *faults[stop:])
        valid_for = dict.fromkeys(self.plain.valid_for, False) if any(map(is_error, named)) else self.plain.valid_for
        return replace(self.plain, faults=together, valid_for=valid_for)

    @property
    def weight(self) -> int:
        """About how many octets of memory it takes."""
        offers = [self.offer, *(offer for offer, _ in self.better)]
        names = sum(len(one.hosts) + len(one.parents) + len(one.addresses) + 3 for one in offers if one)
        texts = sum(300 + 2 * len(fault.message) for fault in (*self.plain.faults, *(fault for _, fault in self.better)))
        people = sum(len(ref.subject) + len(ref.issuer) for ref in self.plain.path)
        return 1500 + 400 * len(self.plain.path) + 150 * names + texts + people
