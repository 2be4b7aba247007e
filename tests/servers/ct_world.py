"""A company and its certificates: a CA that logs what it issues, nginx on many addresses, search services, one command line.

    with World(tmp_path) as world:
        old = world.issue("www.example.com", days_ago=40)
        new = world.renew(old, days_ago=5)
        world.zone(*(("A", "www", address) for address in ADDRESSES))
        with world.serving((new, ADDRESSES[:2]), (old, ADDRESSES[2:])):
            found = world.scan(search=["crtsh", "sslmate"])
        found.of("DCS620")

The company's CA is a private one to the command, which is told to hold it to what public ones have to do (``log_private``).
example.com is a public name to it: search services are asked for it, and all of them are on loopback, as is the name server.
What a process does that tries to reach anything else is in :attr:`World.guard`.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from servers import ct_issue, demo_dns, nginx
from servers.command import COMMAND, Done, clean_environment
from servers.ct_issue import Issued
from servers.ct_log import CtLog
from servers.ct_log_certspotter import Certspotter
from servers.ct_log_der import spki
from servers.dns_process import soa
from servers.fake_search import CrtSh, SslMate
from servers.loopback_only import Guard

from dnscertscan.demo.authority import Authority, Credential, pem

DOMAIN = "example.com"
ADDRESSES = ("127.0.11.1", "127.0.11.2", "127.0.11.3")
DAY = timedelta(days=1)
_LIMIT_SECONDS = 60.0


class Past:
    """The present, less what a test says."""

    def __init__(self) -> None:
        self.ago = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.ago


@dataclass(frozen=True)
class Scanned:
    """How a scan ended: what the process said, the JSON report, and how long it took."""

    done: Done
    report: Mapping[str, Any]
    seconds: float

    @cached_property
    def ct(self) -> list[dict[str, Any]]:
        """Findings about Certificate Transparency, but for that on the age of the list that is shipped."""
        found = [finding for finding in self.report["findings"] if finding["code"].startswith("DCS6")]
        return [finding for finding in found if (finding["code"], finding["record"]) != ("DCS610", "list of logs")]

    @property
    def loud(self) -> list[str]:
        """Those that are warnings and errors, for reading in a failed test."""
        return [f"{one['code']} {one['fqdn']} {one['message']}" for one in self.ct if one["severity"] != "info"]

    @property
    def codes(self) -> set[str]:
        """The codes of all of them."""
        return {finding["code"] for finding in self.ct}

    def of(self, code: str) -> list[dict[str, Any]]:
        """The findings of one rule."""
        return [finding for finding in self.ct if finding["code"] == code]

    def alike(self) -> list[tuple[Any, ...]]:
        """All findings without what tells two runs of the same thing apart."""
        keys = ("code", "severity", "fqdn", "ip_address", "port", "fingerprint")
        return sorted(tuple(str(finding[key]) for key in keys) for finding in self.report["findings"])


class World:
    """See the module. ``folder`` is where the command runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now, self.clock = folder, datetime.now(UTC), Past()
        self.root = Authority.root("House Root", now=self.now)
        self.ca = self.root.intermediate("House Issuer")
        stranger = Authority.root("Other Root", now=self.now)
        self.other = stranger.intermediate("Other Issuer")
        roots = [self.root.certificate, stranger.certificate]
        self.alpha = CtLog("alpha", roots, clock=self.clock)
        self.beta = CtLog("beta", roots, clock=self.clock, operator="Operator B", static_ext=True, mmd=60)
        self.guard = Guard(folder)
        self.crtsh, self.sslmate = CrtSh(self.alpha, self.beta), SslMate(self.alpha, self.beta, token="secret")
        self.port = 0
        self._records: dict[str, list[tuple[str, str, str]]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for service in (self.alpha, self.beta, self.crtsh, self.sslmate):
                stack.enter_context(service)
            self._dns = stack.enter_context(demo_dns.serve({"com": soa("com")}))
            self._stack = stack.pop_all()
        (self.folder / "ca.pem").write_bytes(pem([self.root.certificate]))
        (self.folder / "issuer.pem").write_bytes(pem([self.ca.certificate]))
        (self.folder / "logs.json").write_bytes(ct_issue.log_list(self.alpha, self.beta))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def logs(self) -> tuple[CtLog, CtLog]:
        """Of RFC 6962 and tiled, of two operators."""
        return self.alpha, self.beta

    @contextmanager
    def ago(self, days: float) -> Iterator[datetime]:
        """The logs and the CA live so many days before the present; yields that moment."""
        before, self.clock.ago = self.clock.ago, timedelta(days=days)
        try:
            yield self.clock()
        finally:
            self.clock.ago = before

    def issue(
        self, *names: str, days_ago: float = 20, days: int = 90, ca: Authority | None = None, **options: Any
    ) -> Issued:
        """As an ACME CA does it: valid for ``days`` from an hour before, precertificate and certificate in two logs."""
        options = {"logs": self.logs, "submit_final": True, **options}
        with self.ago(days_ago) as moment:
            start = moment - timedelta(hours=1)
            return ct_issue.issue(ca or self.ca, *names, not_before=start, not_after=start + days * DAY, **options)

    def renew(self, issued: Issued, *, days_ago: float, **options: Any) -> Issued:
        """The next one for the same names, with a new key."""
        return self.issue(*issued.names, days_ago=days_ago, ca=issued.authority, **options)

    @property
    def pinned(self) -> list[str]:
        """The CA that may issue, for the configuration and for --issuer: its certificate (sources may not tell of keys)."""
        return ["issuer.pem"]

    @property
    def pinned_key(self) -> str:
        """The same by its key."""
        return f"sha256:{sha256(spki(self.ca.certificate)).hexdigest()}"

    def zone(self, *records: tuple[str, str, str], name: str = DOMAIN) -> None:
        """All records of a zone: (type, owner, target); name servers at its apex show that it is a whole one."""
        self._records[name] = [("NS", "@", "ns.example.net."), *records]

    @contextmanager
    def serving(self, *sites: tuple[Issued | Credential, Sequence[str]]) -> Iterator[int]:
        """Certificates on addresses, each for all its names; yields the port they all are on."""
        hosts = []
        for site, addresses in sites:
            credential = site.credential if isinstance(site, Issued) else site
            names = credential.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            served = " ".join(names.get_values_for_type(x509.DNSName))
            hosts.append(nginx.Host(served, [credential], addresses=tuple(addresses)))
        every = dict.fromkeys(address for _, addresses in sites for address in addresses)
        with nginx.serve(hosts, list(every)) as self.port:
            yield self.port

    @contextmanager
    def watched(self, *logs: CtLog) -> Iterator[Path]:
        """The state directory of the real certspotter, once it has read everything in the logs (without tiles: of alpha)."""
        logs = logs or (self.alpha,)
        spotter = Certspotter(*logs, watch=(f".{DOMAIN}",))
        try:
            with spotter:
                spotter.wait(lambda: all(spotter.position(log) == log.size for log in logs))
            yield spotter.state
        finally:
            spotter.close()

    def place(self, kind: str) -> dict[str, Any]:
        """A search service of this world, for the configuration."""
        if kind == "crtsh":
            return {"kind": kind, "place": self.crtsh.url.rstrip("/"), "per_minute": 6000}
        return {"kind": kind, "place": self.sslmate.url.rstrip("/"), "per_minute": 6000, "token": "env:SSLMATE_KEY"}

    def configure(self, search: Sequence[str | Mapping[str, Any]] = (), **ct: Any) -> Path:
        """Write zones and configuration; ``ct`` are keys of its section."""
        zones = {
            name: [{"type": kind, "name": owner, "ttl": 300, "target": target} for kind, owner, target in records]
            for name, records in self._records.items()
        }
        (self.folder / "z.json").write_text(json.dumps(zones))
        keys = {"log_private": True, "log_list": "logs.json", "budget": "10s", "log_budget": "5s", "cache": "ct-cache", **ct}
        lines = ["[trust]", 'ca_files = ["ca.pem"]', "[ct]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
        for source in search:
            told = self.place(source) if isinstance(source, str) else source
            lines += ["[[ct.search]]", *(f"{key} = {json.dumps(value)}" for key, value in told.items())]
        path = self.folder / "c.toml"
        path.write_text("\n".join([*lines, ""]))
        return path

    def scan(self, *args: str, search: Sequence[str | Mapping[str, Any]] = (), **ct: Any) -> Scanned:
        """The whole command with its JSON report."""
        (self.folder / "r.json").unlink(missing_ok=True)
        self.configure(search, **ct)
        started = time.monotonic()
        process = self.start(*args)
        out, err = process.communicate(timeout=_LIMIT_SECONDS)
        return self.scanned(Done(process.returncode, out, err), time.monotonic() - started)

    def scanned(self, done: Done, seconds: float = 0.0) -> Scanned:
        """A run that ended, with its report."""
        path = self.folder / "r.json"
        assert path.exists(), done.err
        return Scanned(done, json.loads(path.read_text()), seconds)

    def start(self, *args: str) -> "subprocess.Popen[str]":
        """A scan of what is configured, in a session of its own."""
        given = (
            "--config", "c.toml", "--from-zones-json", "z.json", "--nameserver", f"127.0.0.1:{self._dns}",
            "--port", str(self.port), "-o", "r.json",
        )
        return subprocess.Popen(
            [*COMMAND, *given, *args], cwd=self.folder, env=self.environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )

    def run(self, *args: object) -> Done:
        """Another command of the program."""
        done = subprocess.run(
            [*COMMAND, *map(str, args)], cwd=self.folder, env=self.environment, text=True, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=_LIMIT_SECONDS, check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def run_all(self, *commands: Sequence[object]) -> list[Done]:
        """Several that do not need each other, at the same time."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(lambda command: self.run(*command), commands))

    @property
    def environment(self) -> dict[str, str]:
        """Of the command."""
        return {**clean_environment(self.folder), **self.guard.environment, "SSLMATE_KEY": "secret"}


def kill(process: "subprocess.Popen[str]") -> None:
    """SIGKILL, and what it left behind as well."""
    process.kill()
    process.communicate(timeout=10)
    for _ in range(50):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
