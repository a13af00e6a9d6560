"""Case actions for tests, as casework would publish them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

from services.contracts.cases import CaseAction

ON = date(2016, 12, 12)
AT = datetime(2016, 12, 12, 15, 20, tzinfo=UTC)


def action(student: str = "q7Yc", **changes: object) -> CaseAction:
    """A closing, unless `changes` say otherwise."""
    return CaseAction.model_validate(
        {
            "action_id": uuid4(),
            "alert_id": uuid4(),
            "student": student,
            "action": "closed",
            "outcome": "not_homeless" if changes.get("action", "closed") == "closed" else None,
            "on": ON,
            "at": AT,
            **changes,
        }
    )
