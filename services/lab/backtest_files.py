"""The CSV files of a backtest, for outside judges. They hold student ids: mode 0600, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from models.backtest.evidence import LevelChanges, Truth
from models.backtest.walk import DayScores
from models.policy import LEVEL_NAMES
from services.platform.files import PRIVATE, whole_file

LEVELS = ("cleared", *LEVEL_NAMES)
SOURCES = ("", "rule", "model", "both")
"""By the bits of `models.backtest.levels`."""


class ScoresFile:
    """`student_id,date,score`: every instructional day's scores as they stood at its end."""

    def __init__(self, file: BinaryIO, student_ids: tuple[str, ...]) -> None:
        self._file = file
        self._ids = pl.Series("student_id", student_ids, dtype=pl.String)
        file.write(b"student_id,date,score\n")

    @classmethod
    @contextmanager
    def open(cls, path: Path, student_ids: tuple[str, ...]) -> Iterator[ScoresFile]:
        """The file, until it is whole."""
        with whole_file(path, mode=PRIVATE) as file:
            yield cls(file, student_ids)

    def add(self, scores: DayScores) -> None:
        """A day's rows."""
        day, student, score = scores
        when = pl.lit(date.fromordinal(day).isoformat()).alias("date")
        rows = pl.DataFrame([self._ids.gather(student)]).with_columns(when, pl.Series("score", score))
        rows.write_csv(self._file, include_header=False)


def write_alerts(path: Path, changes: LevelChanges, truth: Truth, student_ids: tuple[str, ...]) -> None:
    """`student_id,date,level,source`: every level change; an end has the level `cleared`. Raises `OSError`."""
    dates = [date.fromordinal(day).isoformat() for day in truth.dates.tolist()]
    rows = pl.DataFrame(
        {
            "student_id": pl.Series(student_ids, dtype=pl.String).gather(changes.student),
            "date": pl.Series(dates, dtype=pl.String).gather(changes.day),
            "level": pl.Series(LEVELS).gather(changes.level.astype(np.int32)),
            "source": pl.Series(SOURCES).gather(changes.source.astype(np.int32)),
        }
    )
    with whole_file(path, mode=PRIVATE) as file:
        rows.write_csv(file)
