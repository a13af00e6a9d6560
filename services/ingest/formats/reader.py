"""What every reader of a file is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from services.ingest.formats.base import Item, ReadLog, Rejection, RowT_co
from services.ingest.formats.inputs import Input


class Reader(Protocol[RowT_co]):
    """Reads one kind of row from one file, lazily, from the start each time."""

    @property
    def source(self) -> Input:
        """The file."""

    def read(self, log: ReadLog) -> Iterator[Item[RowT_co] | Rejection]:
        """The rows in file order. A bad row is a rejection and the rest goes on. Raises `OSError`."""
