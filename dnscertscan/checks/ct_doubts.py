"""What could not be decided, gathered, so that it is said once and not for each certificate (DCS631)."""

from collections.abc import Iterator

from dnscertscan.checks.ct_rows import listed
from dnscertscan.model.text import visible

NO_KEY = "whether the CA may issue: its key is not known, so search a source that tells it (sslmate, certspotter)"
NO_DOMAIN = "whether CAA allows a CA whose CAA domains are not known"
NO_CAA = "whether CAA allows the CA: the records of these names were not learnt"
NOT_SEEN = "whether it is served: no server was seen for its names"


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
            yield f"{question}: {len(about)} times, as for {listed(about, 3)}{why}"
