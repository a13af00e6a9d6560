"""The quick loop: with `-m "not slow"` properties are tried on fewer examples; CI tries them all."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("fast", max_examples=15)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("markexpr") == "not slow":
        settings.load_profile("fast")
