"""`python -m benchmarks.history_service [unaudited]`: casework as it is, or with an audit that writes nothing."""

from __future__ import annotations

import sys
from typing import Final

from services.casework.app import main
from services.platform.audit.entry import AuditEntry
from services.platform.audit.log import AuditLog

UNAUDITED: Final = "unaudited"


async def _at_once(self: AuditLog, *entries: AuditEntry) -> None:
    """In place of `AuditLog.record`."""


if __name__ == "__main__":
    if UNAUDITED in sys.argv:
        AuditLog.record = _at_once  # type: ignore[method-assign]
    main()
