from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from services.lab.report.card import model_card
from services.lab.report.document import read_document
from tests.unit.lab.report import samples

DOCUMENTED = Path(__file__).parents[4] / "docs" / "model-card.md"


def card(**changed: object) -> str:
    return " ".join("".join(model_card(read_document(samples.result() | changed)).itertext()).split())


def test_docs_have_the_reports_own_card() -> None:
    written = files("services.lab.report").joinpath("card.md").read_text(encoding="utf-8")
    assert DOCUMENTED.read_text(encoding="utf-8") == written, "copy services/lab/report/card.md to docs/model-card.md"


@pytest.mark.parametrize(
    "use", ["discipline", "truancy enforcement or prosecution", "child welfare", "immigration", "who is eligible"]
)
def test_the_card_forbids(use: str) -> None:
    written = card()
    forbidden = written[written.index("What it must not be used for") : written.index("Limits")]
    assert use in forbidden


def test_doubled_up_families_are_the_first_limit_with_their_figures() -> None:
    limits = card().partition("Limits ")[2]
    assert limits.startswith("Doubled-up families can barely be seen")
    assert "58%" in limits.partition("Most calls")[0]
    assert "25%" in limits.partition("Most calls")[0]


def test_the_card_names_the_model_in_use() -> None:
    written = card()
    for fact in ("additive, 2026.1", "seeds 1 to 3", "sha256:5f1e0c7a9b", "2026-11-20", "longest streak", "0.0024"):
        assert fact in written
