"""Hours of a day by the clock on the wall."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

DAY_MINUTES: Final = 24 * 60
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class DayHours:
    """From a minute of the day to another, both 0 to 1440; over midnight when the end is not after the beginning."""

    begins: int
    ends: int

    @classmethod
    def parse(cls, given: str) -> Self:
        """Of `HH:MM-HH:MM`; raises `ValueError`."""
        found = _HOURS.fullmatch(given)
        if found is None:
            raise ValueError("not HH:MM-HH:MM")
        hours = cls(int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]))
        if hours.begins == hours.ends or hours.ends > DAY_MINUTES:
            raise ValueError("hours without a length, or beyond midnight")
        return hours
