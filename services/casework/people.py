"""Who works with alerts, and who may look at them."""

from __future__ import annotations

from typing import Final

from services.platform.identity.caller import Role

WORKERS: Final[tuple[Role, ...]] = ("caseworker", "supervisor")
READERS: Final[tuple[Role, ...]] = (*WORKERS, "steward")
