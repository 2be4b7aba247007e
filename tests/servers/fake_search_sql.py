"""crt.sh's PostgreSQL fed by our test logs: a real server, the tables, and the view and functions that guests' queries use.

    with certwatch(alpha, beta) as base:
        base.place              # the connection string of a guest, who may read and nothing else
        fill(base, alpha, beta) # again, when the logs have grown
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ct.crtsh_database import Certwatch, database
from servers.ct_log import CtLog
from servers.ct_log_der import spki
from servers.fake_search import Index

# What libx509pq finds in a certificate is in a table here, written when the certificate is.
_FUNCTIONS = """
CREATE EXTENSION pgcrypto;
CREATE TABLE ct_log (ID integer PRIMARY KEY, OPERATOR text, URL text UNIQUE, NAME text, PUBLIC_KEY bytea, MMD_IN_SECONDS integer);
CREATE TABLE x509_found
  (CERTIFICATE bytea, COMMON_NAME text, ISSUER_NAME text, NOT_BEFORE timestamp, SERIAL bytea, PRECERT boolean);
CREATE TABLE x509_names (CERTIFICATE bytea, NAME_TYPE text, NAME_VALUE text);
CREATE FUNCTION x509_commonName(c bytea) RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT COMMON_NAME FROM x509_found f WHERE f.CERTIFICATE = c $$;
CREATE FUNCTION x509_issuerName(c bytea) RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT ISSUER_NAME FROM x509_found f WHERE f.CERTIFICATE = c $$;
CREATE FUNCTION x509_notBefore(c bytea) RETURNS timestamp LANGUAGE sql STABLE AS
  $$ SELECT NOT_BEFORE FROM x509_found f WHERE f.CERTIFICATE = c $$;
CREATE FUNCTION x509_serialNumber(c bytea) RETURNS bytea LANGUAGE sql STABLE AS
  $$ SELECT SERIAL FROM x509_found f WHERE f.CERTIFICATE = c $$;
CREATE FUNCTION x509_hasExtension(c bytea, what text) RETURNS boolean LANGUAGE sql STABLE AS
  $$ SELECT PRECERT AND what = 'CT Precertificate Poison' FROM x509_found f WHERE f.CERTIFICATE = c $$;
CREATE VIEW certificate_and_identities AS
  SELECT c.ID CERTIFICATE_ID, c.CERTIFICATE, n.NAME_TYPE, n.NAME_VALUE, c.ISSUER_CA_ID
    FROM certificate c LEFT JOIN x509_names n ON n.CERTIFICATE = c.CERTIFICATE;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest;
"""
_ENTRY = "INSERT INTO ct_log_entry VALUES (%s, %s, to_timestamp(%s) AT TIME ZONE 'UTC', %s)"


@contextmanager
def certwatch(*logs: CtLog) -> Iterator[Certwatch]:
    """The database with everything that is merged into the logs by now."""
    with database() as base:
        base.run(_FUNCTIONS)
        fill(base, *logs)
        yield base


def fill(base: Certwatch, *logs: CtLog) -> None:
    """Its content anew; ids are those that a :class:`~servers.fake_search.CrtSh` of these logs gives."""
    base.run("TRUNCATE certificate, ct_log_entry, read_by_x509, x509_found, x509_names, ct_log")
    base.run("DELETE FROM ca WHERE ID > 0")
    for number, log in enumerate(logs, 1):
        base.run("INSERT INTO ct_log VALUES (%s, %s, %s, %s, %s, %s)", number, log.operator, log.url, log.name, log.spki, log.mmd)
    authorities: dict[bytes, object] = {}
    for record in Index(logs, 9_000_000_001).records():
        found, key = record.certificate, spki(record.issuer)
        if key not in authorities:
            name = record.issuer_text
            ((authorities[key],),) = base.run("INSERT INTO ca (NAME, PUBLIC_KEY) VALUES (%s, %s) RETURNING ID", name, key)
        base.add(record.number, record.octets)
        base.run("UPDATE certificate SET ISSUER_CA_ID = %s WHERE ID = %s", authorities[key], record.number)
        serial = found.serial_number.to_bytes(found.serial_number.bit_length() // 8 + 1, "big")
        base.run(
            "INSERT INTO x509_found VALUES (%s, %s, %s, %s, %s, %s)", record.octets, record.common_name, record.issuer_text,
            found.not_valid_before_utc.replace(tzinfo=None), serial, record.precert,
        )
        for kind, name in record.typed_names:
            base.run("INSERT INTO x509_names VALUES (%s, %s, %s)", record.octets, kind, name)
        for number, log in enumerate(logs, 1):
            for at, entry in enumerate(log.entries[: log.size]):
                if entry.certificate == record.octets:
                    base.run(_ENTRY, record.number, at, entry.timestamp / 1000, number)
