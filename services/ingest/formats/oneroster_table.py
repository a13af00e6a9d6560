"""What the tables of a OneRoster set have in common: headers in mixed case, rows that are deleted, sourcedIds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from services.ingest.formats.csv_table import Table
from services.ingest.rows import fields
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import RowError

RowT = TypeVar("RowT")

NAME_LENGTH: Final = 200
STUDENT: Final = "student"
NOT_THERE: Final = "a sourcedId that another file of the set has"
_DELETED: Final = "tobedeleted"


def roster_table(read: str, others: str, required: str, make: Callable[[Values], RowT]) -> Table[RowT]:
    """A table of which the columns `read` are read, `others` are known, and `required` must be there."""
    names = {name.lower(): name for name in read.split()}
    ignored = frozenset(others.lower().split()) | {"datelastmodified"}
    return Table(names, frozenset(required.lower().split()), _reading(make), ignored)


def word(values: Values, name: str) -> str:
    """A word of a vocabulary, in lower case; empty when it is unknown."""
    return (fields.optional_text(values, name) or "").lower()


def is_deleted(values: Values) -> bool:
    """Whether the row says that it is no more."""
    return word(values, "status") == _DELETED


def ids_of(values: Values, name: str) -> tuple[str, ...]:
    """The sourcedIds of a list."""
    given = str(values.get(name) or "").split(",")
    return tuple(found for one in given if (found := fields.optional_id({name: one}, name)) is not None)


def first_of(values: Values, name: str) -> str | None:
    """The first text of a list."""
    return fields.optional_words({name: str(values.get(name) or "").partition(",")[0]}, name, NAME_LENGTH)


def _reading(make: Callable[[Values], RowT]) -> Callable[[Values], RowT | RowError]:
    def parse(values: Values) -> RowT | RowError:
        try:
            return make(values)
        except FieldError as error:
            return RowError.of(error)

    return parse
