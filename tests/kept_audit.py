"""The audit in memory, for unit tests."""

from __future__ import annotations

from services.platform.audit.entry import AuditEntry


class KeptAudit:
    """Keeps what would be written."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def record(self, *entries: AuditEntry) -> None:
        self.entries += entries
