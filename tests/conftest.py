"""Two processes share the tests: one starts a whole system, the other Kafka and PostgreSQL; both take the rest."""

from __future__ import annotations

import signal

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.identity import Identity

WITH_SERVICES = ("e2e", "integration")


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background; commands would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)


class ServicesTogether(LoadScopeScheduling):
    """Tests that stand on the same services go to one process, in their order; the others to who is free.

    xdist's own groups do it by a mark, which it writes where this pytest does not look any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in WITH_SERVICES if folder in nodeid.split("/")), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ServicesTogether:
    return ServicesTogether(config, log)


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """An issuer that the services of a test believe."""
    return Identity(tmp_path_factory.mktemp("identity"))
