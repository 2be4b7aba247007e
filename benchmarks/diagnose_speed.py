"""Diagnoses a second on one core: a two-certificate chain, leaf never seen before, anchors warm; then new names of one chain.

    python benchmarks/diagnose_speed.py [--chains 2000] [--anchors FILE.pem]

``--anchors`` adds the certificates of a bundle to the store, as a client with all public roots has them.
"""

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from dnscertscan import diagnose
from dnscertscan.demo.authority import Authority, Credential, new_key
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.diagnose import examine_chain
from dnscertscan.pki.truststore import TrustStore, read_bundle

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def _octets(credential: Credential) -> list[bytes]:
    return [certificate.public_bytes(Encoding.DER) for certificate in credential.chain]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chains", type=int, default=2000)
    options.add_argument("--anchors", type=Path)
    chosen = options.parse_args()
    more = [certificate.der for certificate in read_bundle(chosen.anchors.read_bytes())[0]] if chosen.anchors else []
    for kind in ("ec", "rsa2048"):
        root = Authority.root("Speed Root", now=NOW, key=kind)
        issuing, key = root.intermediate("Speed CA", key=kind), new_key(kind)
        anchors = [root.certificate.public_bytes(Encoding.DER), *more]
        names = [f"host{number}.example.com" for number in range(chosen.chains)]
        chains = [_octets(issuing.leaf(name, key=key)) for name in names]
        diagnose(_octets(issuing.leaf("first.example.com", key=key)), "first.example.com", anchors, NOW)
        for label in ("leaf cold", "leaf warm"):
            start = time.perf_counter()
            good = sum(diagnose(chain, name, anchors, NOW).valid for chain, name in zip(chains, names, strict=True))
            spent = time.perf_counter() - start
            assert good == chosen.chains
            print(f"{kind:8} {label}, {len(anchors)} anchors: {chosen.chains / spent:6.0f} a second")
        wildcard = tuple(map(Certificate, _octets(issuing.leaf("*.example.com", key=key))))
        start = time.perf_counter()
        judged = examine_chain(wildcard, (TrustStore("anchors", map(Certificate, anchors)),), NOW)
        good = sum(judged.for_name(name).valid for name in names)
        spent = time.perf_counter() - start
        assert good == chosen.chains
        print(f"{kind:8} one chain judged, then names: {chosen.chains / spent:6.0f} a second")


if __name__ == "__main__":
    main()
