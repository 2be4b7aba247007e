"""What a diagnosis yields: faults, each with the certificate, the fact and the next step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Severity


@dataclass(frozen=True, slots=True)
class Fault:
    """One independent problem of one chain. ``slug`` names the rule; ``message`` starts with that rule's well-known words.

    ``severity`` overrides the rule's default where the path makes it weigh less (an expired certificate that no path needs).
    ``stores`` are the trust stores it holds for, in order; empty when it holds for every store asked.
    """

    slug: str
    message: str
    certificate: CertificateRef | None
    severity: Severity | None = None
    stores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything wrong with one chain for one name at one time.

    ``valid_for`` maps each trust store's name to whether an ordinary client with that store accepts the chain for the name.
    ``path`` is the best path found, leaf first, ending in an anchor when one was reached.
    """

    leaf: CertificateRef | None
    faults: tuple[Fault, ...]
    valid_for: Mapping[str, bool] = field(default_factory=dict)
    path: tuple[CertificateRef, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether the chain is accepted for every store asked (and at least one was)."""
        return bool(self.valid_for) and all(self.valid_for.values())
