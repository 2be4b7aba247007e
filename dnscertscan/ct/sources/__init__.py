"""Search services: who may know which certificates CT has. A new source is one new file and one line here."""

from collections.abc import Callable

from dnscertscan.ct.search_values import Source
from dnscertscan.ct.sources import certspotter, crtsh, crtsh_sql, sslmate
from dnscertscan.registry import Registry

__all__ = ["PLACES", "SOURCES", "SourceFactory"]

SourceFactory = Callable[..., Source]
"""``factory(means, place, token="", per_minute=None)``; a constructor raises UsageError for a place it cannot use."""

SOURCES: Registry[SourceFactory] = Registry("search source", [
    (crtsh.NAME, crtsh.CrtSh),
    (crtsh_sql.NAME, crtsh_sql.CrtShSql),
    (sslmate.NAME, sslmate.SslMate),
    (certspotter.NAME, certspotter.CertSpotter),
])

PLACES = {crtsh.NAME: crtsh.DEFAULT, crtsh_sql.NAME: crtsh_sql.DEFAULT, sslmate.NAME: sslmate.DEFAULT}
"""Where a source is when nobody says; a state directory has to be named."""
