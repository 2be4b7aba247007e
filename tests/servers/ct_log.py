"""A small real CT log for tests: RFC 6962 and static-ct-api over HTTP from one Merkle tree, any fault on request.

    with CtLog("alpha", [root]) as alpha, CtLog("beta", [root], operator="Operator B", static_ext=True) as beta:
        sct = alpha.add_pre_chain([precertificate, intermediate])     # in process, or POST {alpha.url}ct/v1/add-pre-chain
        alpha.faults["ct/v1/get-sth"] = too_many(2)                   # see ct_log_http
        beta.switches.gzip_tiles = True                               # see ct_log_core.Switches
        twin = alpha.fork(keep=3)                                     # same key, another history: enter it or alpha.show(twin)

Both interfaces are always there: RFC 6962 below :attr:`CtLog.url`, tiles below :attr:`CtLog.monitoring_url`.
"""

import gzip
import json
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from servers.ct_log_core import Entry, Head, LogCore, RefusedError, vector
from servers.ct_log_der import der
from servers.ct_log_http import Answer, Request, Service

from dnscertscan.model.ct import Log, LogKind, LogState

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_TILE = re.compile(r"tile/(data|[0-9]+)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]+))?")
_WITNESS = ed25519.Ed25519PrivateKey.from_private_bytes(b"w" * 32)


def _b64(octets: bytes) -> str:
    return b64encode(octets).decode()


def _json(status: int = 200, **fields: Any) -> Answer:
    return Answer(status, json.dumps(fields).encode())


class CtLog(LogCore, Service):
    """See the module, and :class:`~servers.ct_log_core.LogCore` for the arguments.

    ``state`` and ``since`` are what a list says of the log. RFC 6962 calls it by :attr:`url`, static-ct-api submits there too
    and reads below :attr:`monitoring_url`.
    """

    state: LogState = LogState.USABLE
    since: datetime = LONG_AGO

    def __init__(self, name: str, roots: Sequence[x509.Certificate], **options: Any) -> None:
        LogCore.__init__(self, name, tuple(roots), **options)
        Service.__init__(self, name)
        self._shown: CtLog = self

    @property
    def monitoring_url(self) -> str:
        """Where checkpoint and tiles are, with a slash at the end."""
        return f"{self.url}read/"

    @property
    def origin(self) -> str:
        """First line of its checkpoints: the submission prefix without scheme and final slash."""
        return self.url.partition("://")[2].rstrip("/")

    @property
    def model(self) -> Log:
        """The log as a list describes it."""
        kind = LogKind.STATIC if self.static_ext else LogKind.RFC6962
        return Log(
            self.log_id, self.spki, f"log {self.name}", kind, self.url, self.monitoring_url if self.static_ext else "",
            self.mmd, self.interval, ((self.state, self.since),), ((self.operator, None),),
        )

    def fork(self, keep: int) -> "CtLog":
        """A log with the same name and key whose entries differ from number ``keep`` on; not serving yet."""
        twin = CtLog(
            self.name, self.roots, operator=self.operator, clock=self.clock, static_ext=self.static_ext, interval=self.interval,
            mmd=self.mmd, key=self.key, switches=replace(self.switches),
        )
        twin.take_history_of(self, keep)
        return twin

    def show(self, other: "CtLog") -> None:
        """From now on this server answers with the tree of ``other`` (its fork; itself to end that)."""
        self._shown = other

    def respond(self, request: Request) -> Answer:
        """Both interfaces."""
        log, path = self._shown, request.path
        if path.startswith("read/"):
            return log.monitor(path.removeprefix("read/"), self.origin)
        call = log._calls().get((request.method, path))
        if call is None:
            return _json(404, error_message=f"no such place: {request.method} {path}", success=False)
        try:
            return call(request)
        except (ValueError, KeyError, TypeError, Base64Error) as error:
            return _json(400, error_message=str(error) or repr(error), success=False)

    def _calls(self) -> dict[tuple[str, str], Callable[[Request], Answer]]:
        """RFC 6962 4."""
        calls = {
            ("POST", "add-chain"): lambda request: self._submitted(request, self.add_chain),
            ("POST", "add-pre-chain"): lambda request: self._submitted(request, self.add_pre_chain),
            ("GET", "get-sth"): lambda _: self._sth(self.head()),
            ("GET", "get-entries"): self._get_entries,
            ("GET", "get-proof-by-hash"): self._proof_by_hash,
            ("GET", "get-sth-consistency"): self._sth_consistency,
            ("GET", "get-entry-and-proof"): self._entry_and_proof,
            ("GET", "get-roots"): lambda _: _json(certificates=[_b64(der(root)) for root in self.roots]),
        }
        return {(method, f"ct/v1/{name}"): call for (method, name), call in calls.items()}

    @staticmethod
    def _submitted(request: Request, add: Callable[[Sequence[x509.Certificate]], bytes]) -> Answer:
        chain = json.loads(request.body)["chain"]
        try:
            sct = add([x509.load_der_x509_certificate(b64decode(one, validate=True)) for one in chain])
        except RefusedError as problem:
            return _json(400, error_message=str(problem), success=False)
        size = int.from_bytes(sct[41:43], "big")
        return _json(
            sct_version=0, id=_b64(sct[1:33]), timestamp=int.from_bytes(sct[33:41], "big"), extensions=_b64(sct[43 : 43 + size]),
            signature=_b64(sct[43 + size :]),
        )

    @staticmethod
    def _sth(head: Head) -> Answer:
        return _json(
            tree_size=head.size, timestamp=head.timestamp, sha256_root_hash=_b64(head.root),
            tree_head_signature=_b64(head.signature),
        )

    def _get_entries(self, request: Request) -> Answer:
        start, end = int(request.value("start")), int(request.value("end"))
        if not 0 <= start <= end or start >= self.size:
            raise ValueError(f"no entries {start} to {end} in a tree of {self.size}")
        stop = min(end + 1, self.size, start + self.switches.max_entries)
        return _json(entries=[_entry(entry) for entry in self.entries[start:stop]])

    def _proof_by_hash(self, request: Request) -> Answer:
        leaf, size = b64decode(request.value("hash"), validate=True), int(request.value("tree_size"))
        self._must_have(size)
        index = self.index_of(leaf, size)
        if index is None:
            return _json(404, error_message="no leaf with this hash in the tree", success=False)
        return _json(leaf_index=index, audit_path=[_b64(node) for node in self.inclusion(index, size)])

    def _sth_consistency(self, request: Request) -> Answer:
        first, second = int(request.value("first")), int(request.value("second"))
        self._must_have(second)
        if not 0 < first <= second:
            raise ValueError(f"no proof from {first} to {second}")
        return _json(consistency=[_b64(node) for node in self.consistency(first, second)])

    def _entry_and_proof(self, request: Request) -> Answer:
        index, size = int(request.value("leaf_index")), int(request.value("tree_size"))
        self._must_have(size)
        if not 0 <= index < size:
            raise ValueError(f"no entry {index} in a tree of {size}")
        return _json(**_entry(self.entries[index]), audit_path=[_b64(node) for node in self.inclusion(index, size)])

    def _must_have(self, size: int) -> None:
        if not 0 < size <= self.size:
            raise ValueError(f"no tree of {size} entries, there are {self.size}")

    def monitor(self, path: str, origin: str) -> Answer:
        """The monitoring interface of static-ct-api."""
        if path == "checkpoint":
            return Answer(200, self._checkpoint(self.head(), origin), "text/plain; charset=utf-8")
        if path.startswith("issuer/"):
            issuer = self.issuers.get(path.removeprefix("issuer/"))
            return Answer(200, issuer, "application/pkix-cert") if issuer else Answer(404, b"not found\n", "text/plain")
        found = _TILE.fullmatch(path)
        tile = self._tile(found[1], int(found[2].replace("x", "").replace("/", "")), int(found[3] or 256)) if found else None
        if found is None or tile is None or (found[3] and not self.switches.partial_tiles):
            return Answer(404, b"not found\n", "text/plain")
        if found[1] == "data" and self.switches.gzip_tiles:
            encoding = {"Content-Encoding": "gzip"} if self.switches.gzip_header else {}
            return Answer(200, gzip.compress(tile, 1), "application/octet-stream", encoding)
        return Answer(200, tile, "application/octet-stream")

    def _tile(self, level: str, index: int, width: int) -> bytes | None:
        """A tile of exactly that width; None when the tree does not have it, or not at that width."""
        hashes = self.tile(0 if level == "data" else int(level), index, self.size)
        if not 0 < width <= len(hashes):
            return None
        if level == "data":
            return b"".join(map(_tile_leaf, self.entries[index * 256 : index * 256 + width]))
        return b"".join(hashes[:width])

    def _checkpoint(self, head: Head, origin: str) -> bytes:
        text = f"{origin}\n{head.size}\n{_b64(head.root)}\n"
        lines = [_line(origin, b"\x05" + self.log_id, head.timestamp.to_bytes(8, "big") + head.signature)]
        if self.switches.grease:
            lines.insert(0, f"— grease.invalid {_b64(sha256(text.encode()).digest())}\n")
        if self.switches.witness:
            key = _WITNESS.public_key().public_bytes_raw()
            lines.append(_line("witness.example/w1", b"\x01" + key, _WITNESS.sign(text.encode())))
        return f"{text}\n{''.join(lines)}".encode()


def _line(name: str, key: bytes, signature: bytes) -> str:
    """A signature line of a signed note; ``key`` with its algorithm octet in front."""
    key_id = sha256(name.encode() + b"\n" + key).digest()[:4]
    return f"— {name} {_b64(key_id + signature)}\n"


def _entry(entry: Entry) -> dict[str, str]:
    """What get-entries has of one (RFC 6962 4.6)."""
    chain = vector(3, b"".join(vector(3, issuer) for issuer in entry.chain))
    return {
        "leaf_input": _b64(entry.leaf), "extra_data": _b64((vector(3, entry.certificate) if entry.precert else b"") + chain)
    }


def _tile_leaf(entry: Entry) -> bytes:
    """TileLeaf of static-ct-api: the TimestampedEntry, the precertificate if it is one, the issuers' digests."""
    prints = b"".join(sha256(issuer).digest() for issuer in entry.chain)
    return entry.leaf[2:] + (vector(3, entry.certificate) if entry.precert else b"") + vector(2, prints)
