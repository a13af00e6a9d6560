"""A student who may pass now."""

from __future__ import annotations

from dataclasses import dataclass

from services.contracts.ids import Pseudonym, Slot
from services.ingest.consents import Run


@dataclass(frozen=True, slots=True)
class Known:
    """A student whose consent is in force today."""

    id: int
    pseudonym: Pseudonym
    slot: Slot
    run: Run
