"""Write the map of CAs that ships with the package: how a release refreshes it.

    python -m dnscertscan.ct.make_ca_map FILE... -o dnscertscan/ct/data/ca-identities.json

Each FILE is PEM with certificates of CAs in it (a trust store, a chain), or JSON lines with certificates in base64 under
``issuer``, also gzip. Which CA a certificate is of is told by the organisation in its subject, as the map that is there lists
them; keys of organisations that it does not list are left out. Same files in, same octets out.
"""

import argparse
import gzip
import json
import sys
from base64 import b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dnscertscan.ct.ca_map import FORMAT
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.bundle import read_bundle
from dnscertscan.pki.parse import Facts, parse

_ORGANISATION, _COMMON_NAME = "2.5.4.10", "2.5.4.3"


def make(old: str, files: Sequence[Path]) -> str:
    """The map ``old`` with the keys of the CAs in ``files`` beside those it has."""
    data = json.loads(old)
    if data.get("format") != FORMAT:
        raise ValueError(f"format {data.get('format')!r}, {FORMAT!r} is due")
    by_organisation = {name.casefold(): ca for ca in data["cas"] for name in ca["organisations"]}
    for path in files:
        for facts in map(parse, _certificates(path)):
            ca = next(
                (by_organisation[name.casefold()] for name in facts.subject.values(_ORGANISATION)
                 if name.casefold() in by_organisation), None,
            )
            if ca is not None and not facts.problem and facts.key.spki and (facts.is_ca or facts.version < 3):
                _add(ca["keys"], facts)
    data["cas"].sort(key=lambda ca: ca["name"].casefold())
    cas = [_written(ca) for ca in data["cas"]]
    head = json.dumps({key: value for key, value in data.items() if key != "cas"}, indent=1, ensure_ascii=False)
    return head.removesuffix("\n}") + ',\n "cas": [\n' + ",\n".join(cas) + "\n ]\n}\n"


def _add(keys: list[dict[str, Any]], facts: Facts) -> None:
    digest = facts.key.digest.hex()
    name = next(iter(facts.subject.values(_COMMON_NAME)), "") or facts.subject.text
    known = next((key for key in keys if key["sha256"] == digest), None)
    identifier = (facts.extensions.subject_key or b"").hex()
    if known is None:
        keys.append({"name": name, "sha256": digest, "id": identifier})
    elif not known["id"]:
        known["id"] = identifier


def _written(ca: dict[str, Any]) -> str:
    keys = sorted(ca["keys"], key=lambda key: (key["name"], key["sha256"]))
    lines = ",\n".join(f"    {json.dumps(key, ensure_ascii=False)}" for key in keys)
    parts = [f'"{field}": {json.dumps(ca[field], ensure_ascii=False)}' for field in ("name", "domains", "organisations")]
    return "  {" + ",\n   ".join([*parts, f'"keys": [\n{lines}\n   ]' if lines else '"keys": []']) + "}"


def _certificates(path: Path) -> Iterator[Certificate]:
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    if raw[:1] == b"{":
        for line in raw.splitlines():
            yield Certificate(b64decode(json.loads(line)["issuer"]))
    else:
        yield from read_bundle(raw)[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file anew; 2 when something cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m dnscertscan.ct.make_ca_map", description="Refresh the map of CAs.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="MAP", help="the map, which is read first")
    given = parser.parse_args(arguments)
    try:
        made = make(given.output.read_text(encoding="utf-8"), given.files)
        given.output.write_text(made, encoding="utf-8")
    except (OSError, ValueError, KeyError) as problem:
        sys.stderr.write(f"make_ca_map: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
