"""What a caller may see, in one place: every query that reads alerts is narrowed by it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, true

from services.casework.tables import AlertRow
from services.platform.identity.caller import Caller
from services.platform.sharing import ATTENDANCE


def visible_to(caller: Caller) -> ColumnElement[bool]:
    """The condition that an alert of the caller's fulfils."""
    conditions: list[ColumnElement[bool]] = [true()]
    if caller.confined_to is not None:
        conditions.append(AlertRow.agency == caller.confined_to)
    if not caller.has(ATTENDANCE):
        conditions.append(false())
    if caller.schools is not None:
        conditions.append(AlertRow.school_id.in_(sorted(caller.schools)))
    return and_(*conditions)
