"""Every rule by slug, in the order of the codes; one explicit list, no scanning of folders."""

import re
from itertools import chain as joined

from dnscertscan.checks import (
    chain,
    constraints,
    ct_rules,
    dns,
    encoding,
    fleet,
    identity,
    keys,
    protocol,
    reachability,
    revocation,
    scanner,
    transparency,
    validity,
)
from dnscertscan.errors import UsageError
from dnscertscan.model.findings import Rule
from dnscertscan.registry import Registry

FAMILIES = (
    validity, identity, chain, constraints, encoding, fleet, revocation, keys, protocol, dns, transparency, ct_rules,
    reachability, scanner,
)

RULES: Registry[Rule] = Registry(
    "rule",
    ((rule.slug, rule) for rule in sorted(joined.from_iterable(family.RULES for family in FAMILIES), key=lambda rule: rule.code)),
)

_BY_CODE: Registry[Rule] = Registry("rule code", ((rule.code, rule) for rule in RULES.values()))
_CODE = re.compile(r"(?:DCS)?([0-9]+)", re.IGNORECASE)


def rule_for(code_or_slug: str) -> Rule:
    """The rule called ``DCS101``, ``101`` or ``cert-expired``, in any case; else :class:`UsageError` with a hint."""
    wanted = code_or_slug.strip()
    if (numbered := _CODE.fullmatch(wanted)) is None:
        return RULES[wanted.lower()[:80]]
    code = f"DCS{numbered[1][:80]}"
    if code not in _BY_CODE:
        hint = f"codes run from {min(_BY_CODE)} to {max(_BY_CODE)}: `dnscertscan rules` lists them"
        raise UsageError(f"unknown rule code {code!r}; {hint}")
    return _BY_CODE[code]
