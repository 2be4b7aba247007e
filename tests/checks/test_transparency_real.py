"""Real certificates of public CAs, judged by the trust stores and the list of logs of their day: CT has nothing against them."""

import gzip
import json
from base64 import b64decode
from datetime import datetime, timedelta

from servers import ct_data
from servers.ct_judging import codes, served
from servers.judging import target

from dnscertscan.assembly import public_stores
from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.transparency import CtPolicy


def test_certificates_in_the_wild_give_nothing() -> None:
    """120 of them, three days after issuance: all logged by all their SCTs, and every policy and cap is kept.

    They are served for a name that is not theirs, so that a finding carries the word on each.
    """
    stores, lists = public_stores(system=False), ct_data.dated_lists()
    words = []
    for line in gzip.decompress(ct_data.read("certs/corpus_120_real_certs.jsonl.gz")).splitlines():
        row = json.loads(line)
        when = datetime.fromisoformat(row["not_before"]) + timedelta(days=3)
        nearest = min(lists, key=lambda candidate, day=when: abs(candidate.timestamp - day))
        judging = Judge(CheckPolicy(), stores, (), max(when, nearest.timestamp), ct=CtPolicy(nearest))
        chain = (Certificate(b64decode(row["leaf"])), Certificate(b64decode(row["issuer"])))
        findings = judging.endpoint(served(*chain, where=target("not-theirs.example.net")))
        assert [code for code in codes(findings) if code.startswith("6")] == [], row
        words += [finding.ct for finding in findings if finding.rule.slug == "hostname-mismatch"]
    assert words == ["logged"] * 120
