"""Who is who among CAs: by which domains in CAA records a CA goes (RFC 8659 4.2), told by its keys. Facts that ship with us.

The map is small and not complete. A CA that is not in it is unknown, about which nothing is concluded.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

FORMAT = "dnscertscan/ca-identities/1"
FILE = "ca-identities.json"
KEY_ID, NAME, ORGANISATION = "keyid:", "name:", "org:"
"""The same as in :mod:`dnscertscan.checks.ct_ca`, where they are used."""


@cache
def ca_domains() -> Mapping[str, tuple[str, ...]]:
    """CAA domains (lower case, sorted) by the SHA-256 of a CA's key (hexadecimal), as a policy wants them.

    Beside keys there are ``keyid:`` with the subjectKeyIdentifier of these CAs, for certificates whose issuer is not at hand;
    ``name:`` and either of these with the name of the CA; and ``org:`` with an organisation, which gives the name of the CA, too:
    that proves nothing, it serves to tell a renewal by another key of the same CA.
    """
    raw = resources.files("dnscertscan.ct").joinpath("data", FILE).read_text(encoding="utf-8")
    return MappingProxyType(read(raw))


def read(text: str) -> dict[str, tuple[str, ...]]:
    """The map in the text of the file; ValueError for any other format."""
    data = json.loads(text)
    if data.get("format") != FORMAT:
        raise ValueError(f"format {data.get('format')!r}, {FORMAT!r} is due")
    found: dict[str, tuple[str, ...]] = {}
    for ca in data["cas"]:
        name, domains = (ca["name"],), tuple(sorted(domain.lower() for domain in ca["domains"]))
        for key in ca["keys"]:
            for mark in (key["sha256"], *([f"{KEY_ID}{key['id']}"] if key["id"] else [])):
                found[mark], found[f"{NAME}{mark}"] = domains, name
        found |= {f"{ORGANISATION}{one.casefold()}": name for one in ca["organisations"]}
    return found
