"""A worker process that cannot start; for tests of the pool."""


def main() -> None:
    raise SystemExit("no such library")
