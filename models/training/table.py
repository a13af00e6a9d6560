"""Examples as candidates see them: bins, what came true, and who belongs together."""

from __future__ import annotations

from dataclasses import dataclass

from models.arrays import Flags, Floats, Ints
from models.features import features
from models.training.bins import BinNumbers, bin_means, bin_numbers, edges_of
from models.training.examples import Examples
from models.training.split import horizon_end


@dataclass(frozen=True, slots=True)
class TrainingTable:
    """The examples whose outcome is known, in bins."""

    examples: Examples
    """All of them judgeable; row by row with `known_on` and `numbers`."""
    known_on: Ints
    """The week's end (an ordinal) by which the outcome was known."""
    edges: list[Floats]
    numbers: BinNumbers
    means: list[Floats]
    """Per feature, the mean value of each bin."""


def table_of(examples: Examples) -> TrainingTable:
    """The judgeable examples in bins. What came true has no part in where the bins are."""
    known = rows_of(examples, examples.judgeable)
    columns = features(known.inputs)
    edges = [edges_of(column) for column in columns]
    numbers = bin_numbers(columns, edges)
    return TrainingTable(
        known, horizon_end(examples)[examples.judgeable], edges, numbers, bin_means(columns, numbers, edges)
    )


def rows_of(examples: Examples, rows: Flags) -> Examples:
    """Some of the examples."""
    return Examples(
        inputs=examples.inputs[rows],
        student=examples.student[rows],
        household=examples.household[rows],
        year=examples.year[rows],
        day=examples.day[rows],
        ordinal=examples.ordinal[rows],
        came_true=examples.came_true[rows],
        lead=examples.lead[rows],
        judgeable=examples.judgeable[rows],
        groups={name: values[rows] for name, values in examples.groups.items()},
    )
