"""What could not be decided, gathered, so that it is said once and not for each certificate (DCS631)."""

from collections.abc import Iterator

from dnscertscan.checks.ct_rows import listed
from dnscertscan.model.text import visible

NO_KEY = "whether these CAs may issue (their keys are not known; sslmate and certspotter tell them)"
NO_DOMAIN = "whether CAA allows these CAs (their CAA domains are not known)"
NO_CAA = "whether CAA allows what was issued for these names (their records were not learnt)"
TOO_LONG = "which names these certificates are for (some are longer than the 253 octets of a domain name)"
NOT_SEEN = "whether what was issued for these names is served (no server was seen)"


class Doubts:
    """Kinds of questions left open, each with what it is about."""

    def __init__(self) -> None:
        self._open: dict[str, dict[str, str]] = {}

    def add(self, question: str, about: str, reason: str = "") -> None:
        """One more; the same ``about`` counts once."""
        self._open.setdefault(question, {}).setdefault(about, reason)

    def lines(self) -> Iterator[str]:
        """One for each question, in an order that depends on nothing else."""
        for question in sorted(self._open):
            found = self._open[question]
            about = sorted(found)
            reason = next((found[one] for one in about if found[one]), "")
            why = f" ({visible(reason, 200)})" if reason else ""
            yield f"{question}: {listed(about, 3)}{why}"
