"""A student who may pass now."""

from __future__ import annotations

from typing import NamedTuple

from services.contracts.ids import Pseudonym, Slot
from services.ingest.consent.in_force import Run
from services.platform.keys.master import WrappedKey


class ConsentedStudent(NamedTuple):
    """A student whose consent is in force today."""

    id: int
    pseudonym: Pseudonym
    slot: Slot
    run: Run
    key: WrappedKey | None = None
    """By which what flows is sealed; None when nothing does."""
