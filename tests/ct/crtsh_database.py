"""A real PostgreSQL with the tables of crt.sh that a search reads, and stand-ins for its functions on certificates.

    with database() as certwatch:
        certwatch.add(5, der)
        certwatch.place            # the connection string of a guest
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from cryptography import x509
from servers.dns_process import free_port, unprivileged
from servers.ending import end

_PLACES = (*os.get_exec_path(), *map(str, Path("/usr/lib/postgresql").glob("*/bin")))
# libx509pq reads certificates in the server; here a table says what it would find.
_SCHEMA = """
CREATE ROLE guest LOGIN;
CREATE TABLE ca (ID serial PRIMARY KEY, NAME text NOT NULL, PUBLIC_KEY bytea NOT NULL);
INSERT INTO ca VALUES (-1, 'Issuer Not Found', E'\\\\x00');
CREATE TABLE certificate (ID bigserial NOT NULL, ISSUER_CA_ID integer NOT NULL REFERENCES ca(ID), CERTIFICATE bytea NOT NULL);
CREATE TABLE ct_log_entry (CERTIFICATE_ID bigint, ENTRY_ID bigint, ENTRY_TIMESTAMP timestamp, CT_LOG_ID integer);
CREATE TABLE read_by_x509 (CERTIFICATE bytea, NAMES text, NOT_AFTER timestamp);
CREATE TEXT SEARCH CONFIGURATION certwatch (COPY = pg_catalog.simple);
CREATE FUNCTION identities(c bytea) RETURNS tsvector LANGUAGE sql STABLE AS
  $$ SELECT to_tsvector('certwatch', NAMES) FROM read_by_x509 r WHERE r.CERTIFICATE = c $$;
CREATE FUNCTION x509_notAfter(c bytea) RETURNS timestamp LANGUAGE sql STABLE AS
  $$ SELECT NOT_AFTER FROM read_by_x509 r WHERE r.CERTIFICATE = c $$;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest;
"""


@dataclass(frozen=True, slots=True)
class Certwatch:
    """The running database."""

    port: int

    @property
    def place(self) -> str:
        """As a guest."""
        return f"postgresql://guest@127.0.0.1:{self.port}/postgres"

    def run(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """As its owner."""
        with psycopg.connect(f"postgresql://owner@127.0.0.1:{self.port}/postgres", autocommit=True) as base:
            cursor = base.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def add(self, number: int, der: bytes, *, ca_key: bytes | None = None, seen: datetime | None = None) -> None:
        """A certificate with its names and all domains above them, as crt.sh's index has them."""
        found = x509.load_der_x509_certificate(der)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        words = {".".join(name.split(".")[cut:]) for name in names for cut in range(name.count(".") + 1)}
        ca: object = -1
        if ca_key is not None:
            ((ca,),) = self.run("INSERT INTO ca (NAME, PUBLIC_KEY) VALUES ('CN=CA', %s) RETURNING ID", ca_key)
        end = found.not_valid_after_utc.replace(tzinfo=None)
        self.run("INSERT INTO read_by_x509 VALUES (%s, %s, %s)", der, " ".join(sorted(words)), end)
        self.run("INSERT INTO certificate VALUES (%s, %s, %s)", number, ca, der)
        if seen is not None:
            self.run("INSERT INTO ct_log_entry VALUES (%s, 1, %s, 1)", number, seen.replace(tzinfo=None))

    def clear(self) -> None:
        """No certificates, all functions as they should be."""
        self.run("TRUNCATE certificate, ct_log_entry, read_by_x509")


@contextmanager
def database() -> Iterator[Certwatch]:
    """Up within two seconds, gone with its folder."""
    folder = Path(tempfile.mkdtemp(prefix="certwatch-"))
    try:
        data, port = folder / "data", free_port(("127.0.0.1",))
        command = [_program("initdb"), "-D", str(data), "-A", "trust", "-U", "owner", "--no-sync", "-E", "UTF8"]
        subprocess.run(unprivileged(command, folder), check=True, stdout=subprocess.DEVNULL, cwd=folder)
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off"}
        settings = [f"--{name}={value}" for name, value in options.items()]
        command = unprivileged([_program("postgres"), "-D", str(data), *settings], folder)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
        try:
            certwatch = Certwatch(port)
            _wait(certwatch, process, folder / "log")
            certwatch.run(_SCHEMA)
            yield certwatch
        finally:
            end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """initdb is not on the search path everywhere."""
    found = shutil.which(name, path=os.pathsep.join(_PLACES))
    assert found, f"{name} is missing: install the package postgresql"
    return found


def _wait(certwatch: Certwatch, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 15
    while True:
        try:
            certwatch.run("SELECT 1")
            return
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < end, log.read_text(errors="replace")
            time.sleep(0.05)
