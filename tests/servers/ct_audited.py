"""What the tests of `ct audit HOST` have in common: a CA, two logs, and a certificate of nine days ago."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from servers.ct_log import CtLog
from servers.ct_log_core import HandClock

from dnscertscan.demo.authority import Authority

NOW = datetime.now(UTC)
ISSUED = NOW - timedelta(days=9)
NAME = "www.watched.com"
ROOT = Authority.root("Host Root", now=NOW)
CA = ROOT.intermediate("Host Issuer")


@contextmanager
def two_logs() -> Iterator[tuple[CtLog, CtLog]]:
    """Of two operators, one of each kind; their clocks stand at the issuance."""
    with (
        CtLog("alpha", [ROOT.certificate], clock=HandClock(ISSUED)) as alpha,
        CtLog("beta", [ROOT.certificate], operator="Operator B", static_ext=True, mmd=60, clock=HandClock(ISSUED)) as beta,
    ):
        yield alpha, beta
