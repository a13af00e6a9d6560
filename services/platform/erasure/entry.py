"""An entry of the ledger as it travels, in Kafka and in the file beside the master key; what was removed for one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Base64Bytes

from services.contracts.base import Event

Because = Literal["withdrawn", "expired", "agreement_ended", "destroyed"]

Removed = Mapping[str, int]
"""How many of what was removed, by place, for example `casework.alerts`."""


class LedgerEntry(Event):
    """`erasure.ledger.v1`, key its id: what of a student was erased, or is not to count again. No name is in it."""

    id: UUID
    student: Base64Bytes
    """A keyed digest of the district's id."""
    agreement: str
    """Whose consents do not count again; of no one's when empty."""
    recipient: str
    """An agency; `*` is everyone's, of a withdrawal that names none."""
    kept_for: str = ""
    """Of what is kept in the schema `district`, for which purpose; of a withdrawal, the one that it names, if any."""
    pseudonym: str | None = None
    """Under which the student was kept; None when nothing was."""
    slot: int | None = None
    because: Because
    ended_on: date
    """Of a withdrawal: a consent that was signed before this day never counts again."""
    records: tuple[str, ...] = ()
    """Of a withdrawal: the kinds of records that it ended; empty is all of them."""
    at: AwareDatetime
    by: str
    """Who withdrew or destroyed: a role or a command, never a name."""
    held: bool = False
    """Its deletion waits for an inspection."""
