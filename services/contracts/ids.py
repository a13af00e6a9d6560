"""Ids that must not be mixed up, and how derived ids are made.

A `Pseudonym` is the keyed HMAC-SHA-256 of a district's id (base64url, 22 characters); it is the
only name of a student or household that crosses Kafka, a URL or a log.
"""

from __future__ import annotations

import base64
import re
from datetime import date
from typing import Final, NewType
from uuid import UUID, uuid5

Pseudonym = NewType("Pseudonym", str)
HouseholdPseudonym = NewType("HouseholdPseudonym", str)
SchoolId = NewType("SchoolId", str)
Slot = NewType("Slot", int)

SLOTS = 1024
"""Number of slots; a student's partition is `slot % partitions`, so partitions can grow to this."""

NAMESPACE = UUID("6f1e5d5e-6d0c-5f43-9d5c-0f1b57be11aa")
_PSEUDONYM: Final = re.compile(r"[A-Za-z0-9_-]{22}")


def has_form_of_pseudonym(text: str) -> bool:
    """Whether a text may be a pseudonym."""
    return _PSEUDONYM.fullmatch(text) is not None


def alert_id(student: Pseudonym, raised_on: date) -> UUID:
    """The id of the episode that the student's windows raised on a school date."""
    return uuid5(NAMESPACE, f"alert|{student}|{raised_on.isoformat()}")


def event_id(alert: UUID, seq: int, kind: str, changed_on: date) -> UUID:
    """The id of one event of an alert's life; the same event replayed has the same id."""
    return uuid5(alert, f"{seq}|{kind}|{changed_on.isoformat()}")


def week_token(week: date) -> UUID:
    """The token of the close of a week, by its Monday; a close that is sent again has the same."""
    return uuid5(NAMESPACE, f"week|{week.isoformat()}")


def case_number(alert: UUID) -> str:
    """A short number for people to say on the phone, for example `FB-7K3Q-2MXA`; it names nobody."""
    text = base64.b32encode(alert.bytes)[:8].decode()
    return f"FB-{text[:4]}-{text[4:]}"


def partition_of(slot: Slot, partitions: int) -> int:
    """The partition in which everything of a student with this slot travels."""
    return slot % partitions
