"""Cases for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from services.casework.cases.states import COLUMNS, Case

TODAY = date(2016, 12, 7)
WAITING = datetime(2016, 12, 6, 15, tzinfo=UTC)


def a_case(number: int = 1, **changes: Any) -> Case:
    """A new case of the household `family`."""
    values: dict[str, Any] = dict.fromkeys(COLUMNS) | {
        "id": UUID(int=number),
        "agency": "project-hope",
        "family": "family",
        "school_id": "burke",
        "level": "watch",
        "state": "new",
        "version": 1,
        "opened_on": date(2016, 12, 5),
        "waiting_since": WAITING,
        "until_worse": False,
        "referral_accepted": False,
    }
    return Case(**values | changes)
