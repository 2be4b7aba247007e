"""Credentials for the scan tests, made once."""

import pytest
from servers.scanning import clock

from dnscertscan.demo.authority import Authority


@pytest.fixture(scope="session")
def ca() -> Authority:
    """An intermediate of a root that is in no store."""
    return Authority.root("Scan Test Root", now=clock()).intermediate("Scan Test Intermediate")
