"""Fetching from URLs that nobody vouches for: revocation lists and missing issuers; and lists of CT logs."""

from dnscertscan.outside.cache import LONGEST, Cache
from dnscertscan.outside.fetcher import Answer, Fetcher

__all__ = ["LONGEST", "Answer", "Cache", "Fetcher"]
