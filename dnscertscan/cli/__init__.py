"""The command line: parse, call one function, map to an exit status."""


def main() -> None:
    """Entry point of the ``dnscertscan`` command."""
    raise SystemExit(0)
