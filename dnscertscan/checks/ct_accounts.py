"""CAA records that let every customer of a CA issue, or another account than the operator's (DCS628)."""

from collections.abc import Iterator, Mapping, Sequence

from dnscertscan.checks import caa
from dnscertscan.checks.catalog import RULES
from dnscertscan.checks.ct_places import Places, Standing
from dnscertscan.checks.ct_rows import listed, name_subject
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.transparency import CaaAnswer


def look(answers: Mapping[DnsName, CaaAnswer], accounts: Sequence[str], places: Places) -> Iterator[Finding]:
    """One for each place of a CAA RRset in the zones of the run."""
    by_place = {answer.at: answer for answer in answers.values() if answer.at is not None and not answer.problem}
    for at in sorted(by_place):
        if places.standing(at.text) not in (Standing.ABROAD, Standing.DELEGATED):
            yield from _place(at, by_place[at], accounts, places)


def _place(at: DnsName, answer: CaaAnswer, accounts: Sequence[str], places: Places) -> Iterator[Finding]:
    rule = RULES["caa-no-account"]
    found = {
        permission for wildcard in (False, True) for permission in caa.permissions(answer.records, wildcard=wildcard) or ()
        if permission.issuer
    }
    others = sorted({account for one in found for account in one.accounts if accounts and account not in accounts})
    open_to_all = sorted({permission.issuer for permission in found if not permission.accounts})
    if others:
        message = (
            f"CAA records at {at.display} name another account than ours: {listed(others)}; ours are {listed(accounts)}; "
            "correct accounturi, or name the account in accounts of [ct] if it is right"
        )
        yield Finding(rule, Severity.WARNING, name_subject(at.text, places), message)
    elif open_to_all:
        message = (
            f"CAA records at {at.display} let every account of {listed(open_to_all)} issue; "
            "add accounturi with the URI of your ACME account, so that nobody else's account can be used"
        )
        yield Finding(rule, rule.severity, name_subject(at.text, places), message)
