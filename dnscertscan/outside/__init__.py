"""The only place that fetches over HTTP: revocation lists and missing issuers, from URLs nobody vouches for; lists of CT logs."""

from dnscertscan.outside.cache import LONGEST, Cache
from dnscertscan.outside.fetcher import Answer, Fetcher

__all__ = ["LONGEST", "Answer", "Cache", "Fetcher"]
