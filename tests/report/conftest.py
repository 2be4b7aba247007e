"""Fixtures of the reports' tests."""

from collections.abc import Iterator

import pytest
from servers.chromium import Browser, browser


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests."""
    with browser(tmp_path_factory.mktemp("chromium")) as one:
        yield one


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Browser]:
    """Its tab. A test that sees an error on the console, a refusal by the policy or a request to anywhere fails."""
    chromium.complaints.clear()
    chromium.asked.clear()
    chromium.size(1280, 900)
    chromium.look()
    yield chromium
    assert chromium.complaints == []
    assert [url for url in chromium.asked if not url.startswith(("file:", "about:"))] == []
