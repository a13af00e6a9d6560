"""The packages are the repository's own: a foreign one of the same name would shadow them."""

from __future__ import annotations

from pathlib import Path

import models
import services

ROOT = Path(__file__).resolve().parents[2]


def test_services_and_models_lie_in_the_repository() -> None:
    assert services.__file__ is not None
    assert models.__file__ is not None
    assert Path(services.__file__).is_relative_to(ROOT)
    assert Path(models.__file__).is_relative_to(ROOT)
