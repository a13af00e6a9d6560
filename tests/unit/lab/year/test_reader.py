from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from models.backtest.history import History
from models.enrollment import FOREVER
from services.ingest.consent.in_force import Run
from services.lab.year import blocks as blocks_module
from services.lab.year import read_history
from tests.unit.lab.year.slow import read_slowly
from tests.unit.lab.year.worlds import write_world

pytestmark = pytest.mark.slow


def _marks(history: History) -> list[tuple[date, str, str, date, int]]:
    marks = history.marks
    return [
        (date.fromordinal(known_on), history.student_ids[student], history.schools[school], date.fromordinal(day), code)
        for known_on, student, school, day, code in zip(
            *(one.tolist() for one in (marks.known_on, marks.student, marks.school, marks.day, marks.code)), strict=True
        )
    ]


def _counts(history: History) -> list[tuple[date, str, date, int, int, int]]:
    counts = history.counts
    columns = (counts.known_on, counts.school, counts.day, counts.absent, counts.seen, counts.expected)
    return [
        (date.fromordinal(known_on), history.schools[school], date.fromordinal(day), absent, seen, expected)
        for known_on, school, day, absent, seen, expected in zip(*(one.tolist() for one in columns), strict=True)
    ]


def _closes(history: History) -> list[tuple[date, str, date, int]]:
    closes = history.closes
    columns = (closes.known_on, closes.school, closes.day, closes.expected)
    return [
        (date.fromordinal(known_on), history.schools[school], date.fromordinal(day), expected)
        for known_on, school, day, expected in zip(*(one.tolist() for one in columns), strict=True)
    ]


def _runs(history: History) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {}
    for student, first, last in zip(
        *(one.tolist() for one in (history.runs.student, history.runs.first, history.runs.last)), strict=True
    ):
        through = None if last == FOREVER else date.fromordinal(last)
        runs.setdefault(history.student_ids[student], []).append(Run(date.fromordinal(first), through))
    return runs


@pytest.mark.parametrize("seed", range(16))
def test_what_is_known_on_each_day_is_what_a_replay_would_know(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_world(tmp_path, seed, sections=seed % 2 == 0, odd=seed % 4 > 1, events=seed % 3 == 1)
    monkeypatch.setattr(blocks_module, "_BLOCK", (1 << 20, 3000, 3000, 500)[seed % 4])

    read, slow = read_history(tmp_path), read_slowly(tmp_path)

    assert _runs(read.history) == slow.runs
    assert set(read.history.student_ids) == set(slow.runs)
    assert Counter(_marks(read.history)) == Counter(slow.marks)
    assert Counter(_counts(read.history)) == Counter(slow.counts)
    assert Counter(_closes(read.history)) == Counter(slow.closes)
    assert [one for one in read.rejected if one.file == "attendance.csv"] == slow.rejected
    assert read.history.rows == slow.rows
    assert slow.marks
    assert slow.closes
    assert slow.rejected
    assert (read.history.marks.known_on[1:] >= read.history.marks.known_on[:-1]).all()
