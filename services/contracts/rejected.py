"""`attendance.rejected.v1`: the dead letters. They carry no personal data and no input."""

from __future__ import annotations

from datetime import datetime

from services.contracts.base import Event


class Rejected(Event):
    """One row, entry or record that could not be read. The key is `source`."""

    source: str
    """`http`, `import`, `pull`, or the topic and partition of a poison record."""
    file: str | None = None
    line: int | None = None
    """Physical line (the header is 1), the entry's index by HTTP, or the record's offset."""
    field: str | None = None
    reason: str
    at: datetime
