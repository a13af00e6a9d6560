"""What a caller may see, in one place: every query that reads alerts or students is narrowed by it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, true

from services.casework.tables import AlertRow
from services.platform.consent import consented_students
from services.platform.identity.caller import Caller
from services.platform.sharing import ATTENDANCE


def consented_to(caller: Caller) -> ColumnElement[bool]:
    """The condition that a student of the consent view is the caller's, at whatever school."""
    conditions: list[ColumnElement[bool]] = [true() if caller.has(ATTENDANCE) else false()]
    if caller.confined_to is not None:
        conditions.append(consented_students.c.agency == caller.confined_to)
    return and_(*conditions)


def visible_to(caller: Caller) -> ColumnElement[bool]:
    """The condition that an alert of the caller's fulfils; of one that was erased there is nothing to see."""
    conditions: list[ColumnElement[bool]] = [AlertRow.level.is_not(None)]
    if caller.confined_to is not None:
        conditions.append(AlertRow.agency == caller.confined_to)
    if not caller.has(ATTENDANCE):
        conditions.append(false())
    if caller.schools is not None:
        conditions.append(AlertRow.school_id.in_(sorted(caller.schools)))
    return and_(*conditions)
