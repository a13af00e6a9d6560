"""Two processes share the tests: one starts the real services, once, and has all that use them; one has the others."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.identity import Identity

WITH_SERVICES = {"e2e", "integration"}


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background; commands would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if WITH_SERVICES & set(Path(item.path).parts):
            item.add_marker(pytest.mark.xdist_group("services"))


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """An issuer that the services of a test believe."""
    return Identity(tmp_path_factory.mktemp("identity"))
