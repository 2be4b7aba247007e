"""Scan every TLS endpoint that DNS zones publish and say exactly which certificate is bad, and why."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dnscertscan.diagnosis import CertificateInfo, Diagnosis, Problem, diagnose

__version__ = "0.1.0"
__all__ = ["CertificateInfo", "Diagnosis", "Problem", "__version__", "diagnose"]


def __getattr__(name: str) -> object:
    """Public names are imported when first used, so that ``import dnscertscan`` stays cheap (PEP 562)."""
    if name in __all__:
        from dnscertscan import diagnosis  # noqa: PLC0415 -- imported on first use, see above

        return getattr(diagnosis, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
