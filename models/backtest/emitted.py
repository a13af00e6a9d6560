"""What one strategy has emitted of each alert: the difference from day to day is what is raised and changed."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from models.arrays import Codes, Flags, Ints, Places
from models.backtest.evidence import LevelChanges, Raised
from models.policy import ELEVATED

Kind = TypeVar("Kind", bound=np.generic)


class EmittedLevels:
    """Levels as they were last emitted, by unit; changes are kept by the position of the instructional day."""

    def __init__(self, units: int) -> None:
        self._level: Codes = np.zeros(units, dtype=np.uint8)
        self._source: Codes = np.zeros(units, dtype=np.uint8)
        self._changes: list[tuple[Ints, int, Codes, Codes]] = []
        self._raised: list[tuple[Ints, int, Flags]] = []
        self.entered: Counter[int] = Counter()
        """New alerts, elevated or urgent, by school year."""

    def emit(
        self, unit: Places, student: Ints, day: int, level: Codes, source: Codes, shock: Flags, *, year: int
    ) -> None:
        """Say these units' levels on a day of a school year; only what differs is emitted."""
        before = self._level[unit]
        differs = level != before
        if not differs.any():
            return
        source = np.where(level > 0, source, self._source[unit]).astype(np.uint8)
        self._level[unit], self._source[unit] = level, source
        self._changes.append((student[differs], day, level[differs], source[differs]))
        entered = (before < ELEVATED) & (level >= ELEVATED)
        self.entered[year] += int(entered.sum())
        if entered.any():
            self._raised.append((student[entered], day, shock[entered]))

    def changes(self) -> LevelChanges:
        """Every change, by day."""
        return LevelChanges(
            student=_joined([student for student, *_ in self._changes], np.int32),
            day=_days([(len(student), day) for student, day, *_ in self._changes]),
            level=_joined([level for _, _, level, _ in self._changes], np.uint8),
            source=_joined([source for *_, source in self._changes], np.uint8),
        )

    def raised(self) -> Raised:
        """New alerts, by day."""
        return Raised(
            student=_joined([student for student, *_ in self._raised], np.int32),
            day=_days([(len(student), day) for student, day, _ in self._raised]),
            shock=_joined([shock for *_, shock in self._raised], np.bool_),
        )


def _joined(parts: list[npt.NDArray[Kind]], kind: type[Kind]) -> npt.NDArray[Kind]:
    return np.concatenate([np.empty(0, dtype=kind), *parts])


def _days(counts: list[tuple[int, int]]) -> Ints:
    return np.repeat([day for _, day in counts], [count for count, _ in counts]).astype(np.int32)
