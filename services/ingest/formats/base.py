"""What every reader of files gives: rows with where they came from, and rejections."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from services.ingest.rows.parse import RowError
from services.platform.errors import OperatorError

RowT = TypeVar("RowT")
RowT_co = TypeVar("RowT_co", covariant=True)


class FormatError(OperatorError):
    """A path cannot be imported; the message says why and what to do."""


class Item(NamedTuple, Generic[RowT_co]):
    """A row and where it came from: the file's base name and the physical line at which it starts.

    In a JSON array `line` is the item's number, counted from 1.
    """

    row: RowT_co
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row, or the rest of a file, that cannot be used; `reason` holds nothing of what the file says."""

    file: str
    line: int
    field: str | None
    reason: str

    @classmethod
    def of(cls, error: RowError, file: str, line: int) -> Rejection:
        """The rejection of the row at that line."""
        return cls(file, line, error.field, error.reason)


Found = Item[RowT] | Rejection
"""What a reader yields."""


class NotRead(NamedTuple):
    """A file that was not read, why, and what to do; the reason and the hint hold nothing of what it says."""

    file: str
    reason: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}: not read: {self.reason}. {self.hint}"


@dataclass(slots=True)
class ReadLog:
    """How far reading has come, in bytes, and what the user should know; no id and no name is in a warning."""

    bytes_read: int = 0
    warnings: list[str] = field(default_factory=list)
    not_read: list[NotRead] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Say something once, however often the file is read."""
        if text not in self.warnings:
            self.warnings.append(text)
