"""Entries of one kind: parsed, taken in, rejected ones to the dead letters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from services.ingest.api.bodies import UNREADABLE, Entries
from services.ingest.intake import Intake
from services.ingest.metrics import count_marks
from services.ingest.rows.fields import Values
from services.ingest.rows.outcomes import Outcome
from services.ingest.rows.parse import RowError

RowT = TypeVar("RowT")

_NO_JSON: Final = RowError(None, "The line is not valid JSON in UTF-8, or too long")
_NO_OBJECT: Final = RowError(None, "Expected an object")


@dataclass(frozen=True, slots=True)
class Kind(Generic[RowT]):
    """How entries of one kind are read and taken in."""

    parse: Callable[[Values], RowT | RowError]
    take: Callable[[Intake, Sequence[RowT]], Awaitable[list[Outcome]]]
    counted: bool = False
    """Rejected entries count among the marks."""


@dataclass(frozen=True, slots=True)
class RejectedEntry:
    """An entry that could not be used; `line` is its index in the request."""

    line: int
    field: str | None
    reason: str
    file: None = None


async def take_entries(intake: Intake, kind: Kind[RowT], given: Entries, first: int) -> list[Outcome]:
    """Each entry's outcome, in order; `first` is the index of the first one in the request."""
    read: list[RowT | RowError] = [_parse(kind.parse, entry) for entry in given]
    rows = [one for one in read if not isinstance(one, RowError)]
    taken = iter(await kind.take(intake, rows) if rows else [])
    outcomes = [
        Outcome("rejected", one.reason, field=one.field) if isinstance(one, RowError) else next(taken) for one in read
    ]
    rejected = [
        RejectedEntry(first + place, outcome.field, outcome.reason or "")
        for place, outcome in enumerate(outcomes)
        if outcome.status == "rejected"
    ]
    await intake.reject(rejected, "http")
    if kind.counted:
        count_marks(outcome for outcome, one in zip(outcomes, read, strict=True) if isinstance(one, RowError))
    return outcomes


def _parse(parse: Callable[[Values], RowT | RowError], entry: object) -> RowT | RowError:
    if entry is UNREADABLE:
        return _NO_JSON
    if not isinstance(entry, dict):
        return _NO_OBJECT
    return parse(entry)
