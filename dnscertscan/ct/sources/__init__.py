"""Search services: who may know which certificates CT has. A new source is one new file and one line here."""

from collections.abc import Callable

from dnscertscan.ct.search_values import Source
from dnscertscan.ct.sources import certspotter, crtsh, crtsh_sql, sslmate
from dnscertscan.registry import Registry

__all__ = ["KINDS", "PLACES", "SOURCES", "SourceFactory"]

SourceFactory = Callable[..., Source]
"""``factory(means, place, token="", per_minute=None)``; a constructor raises UsageError for a place it cannot use."""

SOURCES: Registry[SourceFactory] = Registry("search source", [
    ("crtsh", crtsh.CrtSh),
    ("crtsh-sql", crtsh_sql.CrtShSql),
    (sslmate.NAME, sslmate.SslMate),
    (certspotter.NAME, certspotter.CertSpotter),
])

KINDS = {crtsh.NAME: "crtsh", crtsh_sql.NAME: "crtsh-sql"}
"""By the name a source goes by in what it says, where that is another one."""

PLACES = {"crtsh": crtsh.DEFAULT, "crtsh-sql": crtsh_sql.DEFAULT, sslmate.NAME: sslmate.DEFAULT}
"""Where a source is when nobody says; a state directory has to be named."""
