"""In which order cases are listed, and the opaque cursor of a place in it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, case, func, literal, tuple_

from services.casework.history.cursor import InvalidCursorError
from services.casework.tables import CaseRow
from services.contracts.alerts import LEVELS

CaseOrder = Literal["newest", "oldest", "level", "due"]
"""`level`: the highest first, of equals the newest; `due`: the earliest first."""
Place: TypeAlias = tuple[Any, ...]

NO_DAY: Final = date(9999, 12, 31)
_RANK: Final = case({level: rank for rank, level in enumerate(LEVELS)}, value=CaseRow.level, else_=-1)
_DUE: Final = func.coalesce(CaseRow.due_on, literal(NO_DAY))
_BY: Final[Mapping[CaseOrder, tuple[Place, bool, TypeAdapter[Place]]]] = {
    "newest": ((CaseRow.opened_on, CaseRow.id), True, TypeAdapter(tuple[date, UUID])),
    "oldest": ((CaseRow.opened_on, CaseRow.id), False, TypeAdapter(tuple[date, UUID])),
    "level": ((_RANK, CaseRow.opened_on, CaseRow.id), True, TypeAdapter(tuple[int, date, UUID])),
    "due": ((_DUE, CaseRow.id), False, TypeAdapter(tuple[date, UUID])),
}


def ordering(order: CaseOrder) -> Sequence[ColumnElement[Any]]:
    """What to order by."""
    columns, descending, _ = _BY[order]
    return [column.desc() if descending else column.asc() for column in columns]


def place_columns(order: CaseOrder) -> Sequence[ColumnElement[Any]]:
    """What to select beside, for `encode`."""
    return _BY[order][0]


def after(order: CaseOrder, place: Place) -> ColumnElement[bool]:
    """The condition that a case comes after a place."""
    columns, descending, _ = _BY[order]
    given = tuple_(*(literal(value, column.type) for value, column in zip(place, columns, strict=True)))
    return tuple_(*columns) < given if descending else tuple_(*columns) > given


def encode(order: CaseOrder, place: Sequence[object]) -> str:
    """The cursor of what comes after a place."""
    return base64.urlsafe_b64encode(json.dumps([order, *place], default=str).encode()).decode().rstrip("=")


def decode(order: CaseOrder, cursor: str) -> Place:
    """The place of a cursor of this order; raises `InvalidCursorError`."""
    try:
        said, *place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        found = _BY[order][2].validate_json(json.dumps(place)) if said == order else None
    except (ValueError, TypeError, binascii.Error, ValidationError) as error:
        raise InvalidCursorError from error
    if found is None:
        raise InvalidCursorError
    return found
