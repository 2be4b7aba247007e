"""Scan every TLS endpoint that DNS zones publish and say exactly which certificate is bad, and why."""

__version__ = "0.1.0"
