"""A student who may pass now."""

from __future__ import annotations

from typing import NamedTuple

from services.contracts.ids import Pseudonym, Slot
from services.ingest.consent.in_force import Run


class ConsentedStudent(NamedTuple):
    """A student whose consent is in force today."""

    id: int
    pseudonym: Pseudonym
    slot: Slot
    run: Run
