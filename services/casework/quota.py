"""How many students one subject may look at in an hour: a stolen token must not walk through a school."""

from __future__ import annotations

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Final

from prometheus_client import Counter

from services.platform.http import ProblemError

logger = logging.getLogger(__name__)

HOUR_SECONDS: Final = 3600.0
MOST_REMEMBERED: Final = 500_000
"""Looks that are remembered, over all subjects; beyond it those of who has asked least lately are forgotten."""

exceeded = Counter("firstbell_casework_student_limit", "Requests refused for looking at too many students in an hour")


class StudentQuota:
    """Counts distinct students per subject over the last hour, in this process's memory."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._looks: OrderedDict[str, OrderedDict[str, float]] = OrderedDict()
        self._remembered = 0

    def take(self, subject: str, students: Collection[str]) -> None:
        """The subject is to be told of these students; raises `ProblemError` 429 when that would be too many."""
        now = self._clock()
        seen = self._looks.setdefault(subject, OrderedDict())
        self._looks.move_to_end(subject)
        self._forget(seen, now - HOUR_SECONDS)
        wanted = dict.fromkeys(students)
        surplus = len(seen) + sum(student not in seen for student in wanted) - self._limit
        if surplus > 0:
            self._refuse(subject, _seconds_until(seen, surplus, now))
        for student in wanted:
            self._remembered += student not in seen
            seen[student] = now
            seen.move_to_end(student)
        self._keep_bounded()

    def _forget(self, seen: OrderedDict[str, float], before: float) -> None:
        while seen and next(iter(seen.values())) <= before:
            seen.popitem(last=False)
            self._remembered -= 1

    def _keep_bounded(self) -> None:
        while self._remembered > MOST_REMEMBERED and len(self._looks) > 1:
            _, seen = self._looks.popitem(last=False)
            self._remembered -= len(seen)

    def _refuse(self, subject: str, wait: float) -> None:
        exceeded.inc()
        who = blake2b(subject.encode(), digest_size=6).hexdigest()
        logger.warning("subject %s asks for over %d students an hour: was its token stolen?", who, self._limit)
        raise ProblemError(
            429,
            "Too many students",
            f"A person may look at {self._limit} students in an hour. Ask again later, or for fewer at once.",
            {"Retry-After": str(max(1, math.ceil(wait)))},
        )


def _seconds_until(seen: OrderedDict[str, float], surplus: int, now: float) -> float:
    """When so many of those seen are an hour old; an hour when there are not so many."""
    at = [moment for _, moment in zip(range(surplus), seen.values(), strict=False)]
    return at[-1] + HOUR_SECONDS - now if len(at) == surplus else HOUR_SECONDS
