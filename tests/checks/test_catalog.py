"""The catalogue of rules: pinned codes, complete documentation, one way to look a rule up."""

import re
from pathlib import Path

import pytest

from dnscertscan.checks import RULES, catalog, rule_for
from dnscertscan.errors import UsageError
from dnscertscan.pki.vocabulary import WORDS

GOLDEN = Path(__file__).parent.parent / "golden" / "rules.txt"
PACKAGE = Path(catalog.__file__).parent.parent
EVERY = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))


def test_codes_slugs_and_severities_never_change_unnoticed() -> None:
    """Other people's filters hang on codes and slugs: adding a rule adds a line, and no line ever changes."""
    pinned = GOLDEN.read_text(encoding="utf-8").splitlines()
    assert [f"{rule.code} {rule.slug} {rule.severity}" for rule in RULES.values()] == pinned


def test_rules_come_in_the_order_of_their_codes() -> None:
    """The table reads as the documentation does."""
    codes = [rule.code for rule in RULES.values()]
    assert codes == sorted(set(codes))


def test_every_family_of_rules_is_listed() -> None:
    """A module with rules that the catalogue does not list would be documentation nobody sees."""
    modules = PACKAGE.joinpath("checks").glob("*.py")
    with_rules = {path.stem for path in modules if "\nRULES = (" in path.read_text(encoding="utf-8")}
    assert {family.__name__.rpartition(".")[2] for family in catalog.FAMILIES} == with_rules


@EVERY
def test_documentation_is_complete(rule) -> None:
    """Whoever sees a code can read what it is, whom it hurts and what to do."""
    assert RULES[rule.slug] is rule
    assert re.fullmatch(r"DCS[1-9]\d\d", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.slug)
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.title[0].isupper()
    assert len(rule.why) >= 60
    assert 2 <= len(re.findall(r"[.!?](?= [A-Z]|$)", rule.why)) <= 5, rule.why
    assert len(rule.fix) >= 30
    assert rule.references
    assert all(reference.strip() == reference for reference in rule.references)


@EVERY
def test_no_source_indentation_leaks_into_the_text(rule) -> None:
    """Texts are paragraphs and commands, whatever the layout of the source file."""
    for text in (rule.why, *(line for line in rule.fix.splitlines() if not line.startswith("    "))):
        assert "  " not in text
        assert "\t" not in text
    assert all(re.match(r"    \S", line) for line in rule.fix.splitlines() if line.startswith(" "))


@pytest.mark.parametrize("spelling", ["DCS101", "dcs101", "101", "cert-expired", "CERT-Expired", " 101 "])
def test_a_rule_is_found_by_code_number_and_slug(spelling) -> None:
    """All the ways people write a code lead to the same rule."""
    assert rule_for(spelling).slug == "cert-expired"


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("cert-expird", "did you mean 'cert-expired'"), ("999", "dnscertscan rules"), ("", "known:"),
        ("\u0663\u0660\u0661", "known:"), ("DCS" + "9" * 5000, "codes run"),
    ],
)
def test_an_unknown_rule_is_a_usage_error_with_a_hint(wrong, hint) -> None:
    """One clear line, not a KeyError, and of bounded size."""
    with pytest.raises(UsageError, match=re.escape(hint)) as caught:
        rule_for(wrong)
    assert len(str(caught.value)) < 3000


def test_every_slug_used_by_the_diagnosis_is_a_rule() -> None:
    """A fault whose slug no rule has would crash the judge: every quoted word in pki that looks like a slug is one."""
    quoted = re.compile(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"')
    prefixes = ("cert-", "chain-", "ocsp-", "crl-", "self-signed", "issuer-", "nc-", "weak-", "missing-", "must-", "invalid-")
    used = {
        slug for path in PACKAGE.joinpath("pki").glob("*.py") for slug in quoted.findall(path.read_text(encoding="utf-8"))
        if slug in RULES or slug.startswith(prefixes)
    }
    assert used <= set(RULES)
    assert "cert-expired" in used


@pytest.mark.parametrize("slug", WORDS)
def test_the_diagnosis_weighs_its_faults_as_the_rules_say(slug) -> None:
    """`diagnose` and `scan` give the same severity for the same problem."""
    assert WORDS[slug][0] == RULES[slug].severity
