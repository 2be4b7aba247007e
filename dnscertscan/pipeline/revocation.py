"""Which revocation lists are needed for which certificates, and what they said so far."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from dnscertscan.checks.crl import Link, needs_list
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.text import visible
from dnscertscan.outside import Answer
from dnscertscan.pki import der
from dnscertscan.pki.crl import CrlStatus, CrlVerdict, judge_list, unusable
from dnscertscan.pki.crl_list import read_list
from dnscertscan.pki.parse import parse

MAX_URLS = 4
"""Places of one certificate that are asked, at most."""


class Lists:
    """The work list: every distinct certificate with its issuer once. Each URL is asked for once, for all that name it."""

    def __init__(self, links: Iterable[Link]) -> None:
        self._links = {link.key: link for link in links}
        self._verdicts: dict[tuple[str, str], CrlVerdict] = {}
        self._urls = {key: list_urls(link.certificate) for key, link in self._links.items()}
        self._by_url: dict[str, list[tuple[str, str]]] = {}
        self._asked: set[str] = set()
        self._why: dict[tuple[str, str], list[str]] = {key: [] for key in self._links}
        for key, urls in self._urls.items():
            for url in urls:
                self._by_url.setdefault(url, []).append(key)

    @property
    def progress(self) -> tuple[int, int]:
        """Lists asked for, and lists that are named."""
        return len(self._asked), len(self._by_url)

    def next_urls(self) -> tuple[str, ...]:
        """For each certificate nothing is known of yet the next place to ask, if it names one; these count as asked."""
        wave: dict[str, None] = {}
        for key, urls in self._urls.items():
            if key not in self._verdicts and (left := [url for url in urls if url not in self._asked]):
                wave[left[0]] = None
        self._asked |= wave.keys()
        return tuple(wave)

    def learn(self, answer: Answer, at: datetime) -> datetime | None:
        """Judge what one URL gave; until when it is in force, if it was of use for anybody."""
        keys = [key for key in self._by_url[answer.url] if key not in self._verdicts]
        verdicts = self._judge(answer, keys, at)
        usable = {key: verdict for key, verdict in verdicts.items() if verdict.status is not CrlStatus.UNUSABLE}
        if not usable and answer.cached:
            return None  # whatever was kept is of no use: it is fetched again, and then said what is wrong with it
        self._verdicts |= usable
        for key in verdicts.keys() - usable.keys():
            self._why[key].append(f"{visible(answer.url, 300)}: {verdicts[key].why}")
        return next((verdict.next_update for verdict in usable.values()), None)

    def verdicts(self, otherwise: str) -> Mapping[tuple[str, str], CrlVerdict]:
        """For every certificate that ought to have a list what is known; ``otherwise`` is why a list was not asked for."""
        complete = dict(self._verdicts)
        for key, link in self._links.items():
            if key not in complete and needs_list(link.certificate):
                why = "; ".join(self._why[key]) or (f"{self._urls[key][0]}: {otherwise}" if self._urls[key] else _no_list(link))
                complete[key] = unusable(why)
        return complete

    def _judge(self, answer: Answer, keys: list[tuple[str, str]], at: datetime) -> dict[tuple[str, str], CrlVerdict]:
        if answer.body is None:
            return dict.fromkeys(keys, unusable(answer.problem, answer.url))
        try:
            listed = read_list(answer.body)
        except der.DerError as error:
            return dict.fromkeys(keys, unusable(f"what is there is no revocation list ({error})", answer.url))
        by_issuer: dict[Certificate, list[tuple[str, str]]] = {}
        for key in keys:
            by_issuer.setdefault(self._links[key].issuer, []).append(key)
        verdicts: dict[tuple[str, str], CrlVerdict] = {}
        for issuer, own in by_issuer.items():
            certificates = [self._links[key].certificate for key in own]
            verdicts |= zip(own, judge_list(certificates, issuer, listed, at, answer.url), strict=True)
        return verdicts


def list_urls(certificate: Certificate) -> tuple[str, ...]:
    """Where ``certificate`` says that the list of its own issuer is, over HTTP."""
    points = [point for point in parse(certificate).extensions.crl_points if point.name is not None and not point.indirect]
    urls = [url for point in points if point.name for url in point.name.full.uris if url.lower().startswith(("http:", "https:"))]
    return tuple(dict.fromkeys(urls))[:MAX_URLS]


def _no_list(link: Link) -> str:
    points = parse(link.certificate).extensions.crl_points
    if not points:
        return "it names no revocation list"
    if all(point.indirect for point in points):
        return "it names lists of another issuer only (indirect ones), which are not supported"
    return "it names no revocation list to be had over HTTP"
