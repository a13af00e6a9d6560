"""The backtest's JSON document as the report reads it. Rates are fractions 0-1, leads are in instructional days."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from models.backtest.measures import Measures
from services.lab.backtest_table import LABELS

RANKINGS = LABELS | {"score": "Model's score", "rules": "Rule level, then rate"}
"""The same of the rankings, which the curves by capacity compare."""
BASELINE = "ten_percent"


class ModelFacts(msgspec.Struct, frozen=True):
    """Which model was used, and where it comes from."""

    name: str
    version: str
    trained_on: str
    simulated: bool
    signal: bool
    """Whether it claims to see anything; a history without a signal makes a model that does not."""
    features: tuple[str, ...]
    metrics: dict[str, dict[str, float | None]]
    """Per candidate, what training measured on students and weeks that it did not train on."""
    data_hash: str
    created: str


class Threshold(msgspec.Struct, frozen=True):
    """The lowest score that took a place, in the first and the last week."""

    first: float | None
    last: float | None


class Document(msgspec.Struct, frozen=True):
    """A backtest's result."""

    marks: int
    students: int
    days: int
    seconds: float
    capacity: int
    threshold: Threshold
    strategies: dict[str, Measures]
    policy: str
    model: ModelFacts | None

    @property
    def given(self) -> dict[str, Measures]:
        """Every strategy that the document names, in the report's order."""
        return {name: self.strategies[name] for name in LABELS if name in self.strategies}

    @property
    def measured(self) -> dict[str, Measures]:
        """The strategies that ran; without a model, two of them did not."""
        return {name: each for name, each in self.given.items() if each["alerts_per_week"] is not None}

    @property
    def main(self) -> str:
        """The strategy that the product would run: rules and model, or the rules where there is no model."""
        return "both" if "both" in self.measured else "rules"


def read_document(result: Mapping[str, object]) -> Document:
    """The document, typed; raises `msgspec.ValidationError`, naming the field, for one that breaks the contract."""
    return msgspec.convert(dict(result), Document)
