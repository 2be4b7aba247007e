"""Stage 4: observations and resolutions in, findings out. Every rule is registered here, with its own documentation."""

from dnscertscan.checks.catalog import RULES, rule_for

__all__ = ["RULES", "rule_for"]
