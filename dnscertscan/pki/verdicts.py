"""From one verdict per trust store to one list of faults: what all say once, what they differ in named."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dnscertscan.pki.fault import Fault
from dnscertscan.pki.paths import Path
from dnscertscan.pki.wording import fault, is_error


@dataclass(frozen=True, slots=True)
class StoreResult:
    """The best path to one store and its faults."""

    store: str
    path: Path
    faults: tuple[Fault, ...]

    @property
    def trusted(self) -> bool:
        """Whether nothing on the path makes a client with this store refuse."""
        return not any(map(is_error, self.faults))


def agree(results: Sequence[StoreResult]) -> list[Fault]:
    """One list for all stores. Where some accept, the refusals of the others become one warning that names both sides."""
    accepting = [result for result in results if result.trusted]
    if accepting:
        refusing = [result for result in results if not result.trusted]
        return [*accepting[0].faults, *([_disagreement(accepting, refusing)] if refusing else [])]
    return _all_refuse(results)


def _disagreement(accepting: Sequence[StoreResult], refusing: Sequence[StoreResult]) -> Fault:
    cause = next(found for found in refusing[0].faults if is_error(found))
    yes, no = (", ".join(result.store for result in side) for side in (accepting, refusing))
    fact = f"trusted by {yes}; not by {no} ({cause.message})"
    made = fault("store-disagreement", cause.certificate, fact, "use a chain whose root is in all stores your clients have")
    return replace(made, stores=tuple(result.store for result in refusing))


def _all_refuse(results: Sequence[StoreResult]) -> list[Fault]:
    """Faults of every store once; those of some only, with their stores. Warnings follow the first store."""
    holders: dict[tuple[str, str], list[str]] = {}
    first: dict[tuple[str, str], Fault] = {}
    for index, result in enumerate(results):
        for found in result.faults:
            if is_error(found) or index == 0:
                key = (found.slug, found.certificate.sha256 if found.certificate else "")
                first.setdefault(key, found)
                names = holders.setdefault(key, [])
                if result.store not in names:
                    names.append(result.store)
    everyone = len({result.store for result in results})
    return [
        found if len(holders[key]) == everyone or not is_error(found) else replace(found, stores=tuple(holders[key]))
        for key, found in first.items()
    ]
