"""A company for the tests of the inventory: its CA and a stranger's, a CT log of theirs, and a folder as an ACME client keeps it.

    with Company(tmp_path) as company:
        site = company.deploy(issue(company.ca, "www.watched.com", logs=company.logs))     # in company.folder, in the log
        issue(company.other, "www.watched.com", logs=company.logs)                        # somebody else's doing
        company.crtsh.url, company.sslmate.url                                             # search services with all of that
"""

import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pytest
from servers.command import Done
from servers.ct_issue import Issued
from servers.ct_log import CtLog
from servers.ct_log_core import HandClock
from servers.fake_search import CrtSh, SslMate

from dnscertscan.cli import main
from dnscertscan.demo.authority import Authority, pem

Run = Callable[..., Done]


class Company:
    """See the module. The log's clock is five days late, so that what it gets is no news; ``clock`` moves it."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime.now(UTC)
        self.clock = HandClock(self.now - timedelta(days=5))
        self.root, stranger = Authority.root("Company Root", now=self.now), Authority.root("Stranger Root", now=self.now)
        self.ca, self.other = self.root.intermediate("Company Issuer"), stranger.intermediate("Stranger Issuer")
        self.log = CtLog("alpha", [self.root.certificate, stranger.certificate], clock=self.clock)
        self.logs = [self.log]
        self.crtsh, self.sslmate = CrtSh(self.log), SslMate(self.log)
        self.folder, self.issuer = folder / "acme", folder / "issuer.pem"
        self.folder.mkdir()
        self.issuer.write_bytes(pem([self.ca.certificate]))
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for service in (self.log, self.crtsh, self.sslmate):
            self._open.enter_context(service)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def deploy(self, issued: Issued) -> Issued:
        """Put certificate, chain and key where the ACME client keeps them, in place of what was there."""
        place = self.folder / issued.names[0]
        place.mkdir(exist_ok=True)
        (place / "fullchain.pem").write_bytes(issued.credential.chain_pem)
        (place / "privkey.pem").write_bytes(issued.credential.key_pem)
        return issued


def runner(company: Company, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(*args, source=...)``: the command over the company's folder, in ``home``; answers of search services are not kept.

    ``source`` is the first ``--search``: ``sslmate``, ``crtsh`` or any KIND:PLACE. ``bare``: nothing but the arguments.
    """
    monkeypatch.chdir(home)
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))

    def command(*args: object, source: str = "sslmate", budget: str = "20", bare: bool = False) -> Done:
        shutil.rmtree(home / ".cache", ignore_errors=True)
        service = {"sslmate": company.sslmate, "crtsh": company.crtsh}.get(source)
        place = f"{source}:{service.url}" if service else source
        more = () if bare else (company.folder, "--search", place, "--budget", budget)
        monkeypatch.setattr(sys, "argv", ["dnscertscan", "ct", "inventory", *map(str, (*more, *args))])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return command


def blocks(out: str) -> list[dict[str, str]]:
    """Each issuance that a report lists, by the words in front of its lines; ``head`` is the first line."""
    found = []
    for part in out.split("\n\n"):
        lines = part.splitlines()
        if "  TBS hash: " in part:
            found.append({"head": lines[0], **dict(line.strip().split(":", 1) for line in lines[1:])})
    return [{name: value.strip() for name, value in one.items()} for one in found]
