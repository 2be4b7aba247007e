"""Real logs, as their answers lie beside the checkout: tree heads, a proof of consistency, tiles."""

import asyncio
import json
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from servers import ct_data
from servers.ct_proving import QUICK
from servers.http_site import Site

from dnscertscan.ct.clients import Caller, Proof
from dnscertscan.ct.clients_static import StaticClient
from dnscertscan.ct.http import Http
from dnscertscan.ct.inclusion import InclusionProver
from dnscertscan.ct.inclusion_heads import Standing
from dnscertscan.ct.tree_store import TreeStore
from dnscertscan.model.ct import Log, LogKind
from dnscertscan.pki.merkle import consistency_problem, inclusion_problem, root_of
from dnscertscan.pki.tree_heads import TreeHead, tree_head_problem

AT = datetime(2026, 10, 4, 7, tzinfo=UTC)
T = TypeVar("T")


def argon() -> dict[str, Any]:
    return json.loads(ct_data.read("sth/argon2027h1_sth_consistency.json"))


def check(folder: Path, log: Log) -> Standing:
    async def work() -> Standing:
        with TreeStore(folder, AT) as store:
            async with InclusionProver(store, clock=lambda: AT, limits=QUICK) as prover:
                return await prover.check(log, AT)

    return asyncio.run(work())


def with_client(log: Log, work: Callable[[StaticClient], Awaitable[T]]) -> T:
    async def run() -> T:
        async with Http(timeout=2.0) as http:
            return await work(StaticClient(log, Caller(http, QUICK, lambda: AT)))

    return asyncio.run(run())


def test_argon2027h1(tmp_path: Path) -> None:
    """Two tree heads a minute apart, 384 million entries, and the log's proof: consistent; with one bit changed they are not."""
    real = argon()
    key = b64decode(real["key"])
    proof = json.dumps({"consistency": real["consistency"]}).encode()
    spoilt = [real["consistency"][0], "A" * 43 + "=", *real["consistency"][2:]]
    for number, hashes in enumerate((proof, json.dumps({"consistency": spoilt}).encode())):
        with Site() as site:
            log = ct_data.bare_log(key, sha256(key).digest(), url=site.url("/argon/"))
            ask = f"/argon/ct/v1/get-sth-consistency?first={real['sth1']['tree_size']}&second={real['sth2']['tree_size']}"
            site.pages[ask] = hashes
            folder = tmp_path / str(number)
            for name in ("sth1", "sth2"):
                site.pages["/argon/ct/v1/get-sth"] = json.dumps(real[name]).encode()
                standing = check(folder, log)
            assert standing.open == ""
            assert bool(standing.fault) == bool(number)
            assert site.asked[ask] == 1 + number


def test_parcelyard2026h2() -> None:
    """A checkpoint of 1.6e9 entries with witnesses' lines is read through the client, and its signature is good."""
    (google,) = json.loads(ct_data.read("loglists/google_operator_2026-10_subset.json"))["operators"]
    (entry,) = [entry for entry in google["tiled_logs"] if "ParcelYard2026h2" in entry["description"]]
    real = ct_data.log_from(entry, "Google", LogKind.STATIC)
    with Site() as site:
        site.pages["/checkpoint"] = ct_data.read("sth/parcelyard2026h2.checkpoint")
        log = replace(real, monitoring_url=site.url("/"))
        head, answer = with_client(log, lambda client: client.head())
    assert (head.size, tree_head_problem(head, log)) == (1587930800, "")
    assert answer.url == site.url("/checkpoint")


def test_navigli2025h2() -> None:
    """Real tiles of a real log: each of some entries leads to the root, in a complete tree and in one that is not."""
    folder = ct_data.path("tiles/navigli2025h2/tile/0")
    full = [(folder / f"{number:03}").read_bytes() for number in range(4)]
    leaves = [tile[at : at + 32] for tile in full for at in range(0, len(tile), 32)]
    tops = [root_of(leaves[at : at + 256]) for at in range(0, 1024, 256)]
    size, old = 1024, 778
    partial = (folder / "003.p" / "10").read_bytes()
    assert full[3].startswith(partial)
    with Site() as site:
        log = ct_data.bare_log(b"key", b"i" * 32, kind=LogKind.STATIC, url=site.url("/"))
        site.pages |= {f"/tile/0/{number:03}": tile for number, tile in enumerate(full)}
        site.pages |= {"/tile/0/003.p/10": partial, "/tile/1/000.p/4": b"".join(tops), "/tile/1/000.p/3": b"".join(tops[:3])}
        heads = {count: TreeHead(count, root_of(leaves[:count]), 0, b"") for count in (size, old)}
        for count, head in heads.items():
            for index in (0, 255, 256, 700, count - 1):
                proof = with_client(log, lambda client, index=index, head=head: client.inclusion(leaves[index], index, head))
                assert isinstance(proof, Proof)
                assert proof.leaf == leaves[index]
                assert inclusion_problem(proof.leaf, index, count, proof.hashes, head.root) == ""
        grown = with_client(log, lambda client: client.consistency(old, size))
    assert consistency_problem(old, heads[old].root, size, heads[size].root, grown.hashes) == ""
