"""One student's counted days up to one of them, as people and the rules' sentences read them."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
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
    not_shared: tuple[int, ...] = ()
    """Days between and after them that are not shared."""

    def up_to(self, days: int) -> Past:
        """The first so many days."""
        ordinals = self.ordinals[:days]
        not_shared = self.not_shared[: bisect_left(self.not_shared, ordinals[-1])] if ordinals else ()
        return Past(ordinals, self.shown[:days], self.ruled[:days], not_shared)

    @property
    def stretches(self) -> list[bytes]:
        """What is `shown`, in parts: a day that is not shared ends one."""
        cuts = [0, *(bisect_left(self.ordinals, day) for day in self.not_shared), len(self.shown)]
        return [self.shown[first:end] for first, end in pairwise(cuts)]

    @property
    def streak(self) -> int:
        """Unexcused absences in a row up to the last day; excused and shock days stand aside."""
        since = bisect_left(self.ordinals, self.not_shared[-1]) if self.not_shared else 0
        days = self.ruled[since:].translate(None, _NEUTRAL)
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
    not_shared = register.ordinals[: len(kept)][kept & CODE == BREAK]
    return Past(
        tuple(register.ordinals[columns].tolist()),
        codes.tobytes(),
        ruled.astype(np.uint8).tobytes(),
        tuple(not_shared.tolist()),
    )


def left_on(register: Register, row: int, days: int) -> int:
    """The first day that is not shared after so many days of a row that count, which must be there, as ordinal."""
    past = past_of(register, row)
    after = past.ordinals[days - 1] if days else 0
    return past.not_shared[bisect_left(past.not_shared, after)]


def _columns(register: Register, row: int) -> Places:
    return np.flatnonzero(register.kept[row, : register.columns] & CODE > BREAK)
