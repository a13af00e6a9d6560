"""One student's counted days up to one of them, as people and the rules' sentences read them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from models.arrays import Ints, Places
from models.attendance import EXCUSED, NOTHING, UNEXCUSED
from models.engine.register import BREAK, CODE, SHOCK, Register

NEUTRAL: Final = NOTHING
"""In the rules' view: a shock day, which counts neither for nor against (as an excused day does)."""
_NEUTRAL: Final = bytes([NEUTRAL, EXCUSED])
_UNEXCUSED: Final = bytes([UNEXCUSED])


class Past(NamedTuple):
    """Days in order, a code each; `shown` is what happened, `ruled` the same with shock days as `NEUTRAL`."""

    ordinals: tuple[int, ...]
    shown: bytes
    ruled: bytes

    def up_to(self, days: int) -> Past:
        """The first so many days."""
        return Past(self.ordinals[:days], self.shown[:days], self.ruled[:days])

    @property
    def streak(self) -> int:
        """Unexcused absences in a row up to the last day; excused and shock days stand aside."""
        days = self.ruled.translate(None, _NEUTRAL)
        return len(days) - len(days.rstrip(_UNEXCUSED))

    def counting(self, window: int) -> list[tuple[int, int]]:
        """Ordinal and code of the last `window` days that are neither excused nor shock."""
        days = zip(self.ordinals, self.ruled, strict=True)
        return [(ordinal, code) for ordinal, code in days if code not in _NEUTRAL][-window:]


NO_PAST: Final = Past((), b"", b"")


def days_of(register: Register, row: int) -> Ints:
    """The dates of a row that count, as ordinals."""
    return register.ordinals[_columns(register, row)]


def past_of(register: Register, row: int) -> Past:
    """The days of a row that count."""
    kept, columns = register.kept[row, : register.columns], _columns(register, row)
    codes = kept[columns] & CODE
    ruled = np.where(kept[columns] & SHOCK, np.uint8(NEUTRAL), codes)
    return Past(tuple(register.ordinals[columns].tolist()), codes.tobytes(), ruled.astype(np.uint8).tobytes())


def _columns(register: Register, row: int) -> Places:
    return np.flatnonzero(register.kept[row, : register.columns] & CODE > BREAK)
