"""What the demonstration publishes and what a scan has to say about it, as values."""

from dataclasses import dataclass, field

from dnscertscan.demo.tls_servers import Oddity, TlsSettings

ZONE = "demo.test"
PARTNER = "partner.test"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a scan of the fleet gives for one published name.

    ``slugs`` are the warnings and errors, no more and no less (findings of severity *info* are left out). ``state`` and
    ``reason`` are the words of the coverage file. For a wildcard record ``fqdn`` is the wildcard itself: the scan asks for a
    name below it and says in the column *wildcard* which record that name stands for.
    """

    fqdn: str
    slugs: frozenset[str]
    state: str
    reason: str
    story: str


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """One server with an address of its own; two stories that name the same object share the address.

    ``address`` is empty for "the next free one".
    """

    does: TlsSettings | Oddity
    address: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One published name: an alias, or the servers its address records point to.

    ``name`` is relative to ``zone`` (``@`` and ``*.label`` allowed), ``alias`` absolute without final dot.
    """

    name: str
    text: str
    servers: tuple[Server, ...] = ()
    slugs: frozenset[str] = field(default=frozenset())
    alias: str = ""
    state: str = "scanned"
    reason: str = "ok"
    zone: str = ZONE

    @property
    def fqdn(self) -> str:
        """The absolute name, without final dot."""
        return self.zone if self.name == "@" else f"{self.name}.{self.zone}"

    @property
    def expectation(self) -> Expectation:
        """What a scan has to give for it."""
        return Expectation(self.fqdn, self.slugs, self.state, self.reason, self.text)
