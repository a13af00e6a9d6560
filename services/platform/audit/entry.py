"""What the audit keeps of an answer, a mail or a batch, or of a denial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

ALLOWED: Final = "allowed"
MAIL: Final = "mail"
FEED_OF_MARKS: Final = "feed of marks"
FEED_OF_ENROLLMENTS: Final = "feed of enrollments"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry. Its time, and the agreement and the purpose under which it was, are the database's to say."""

    subject: str
    """Who was shown it."""
    role: str
    agency: str | None
    action: str
    """Method and path of the operation, or `MAIL`, or a feed."""
    students: Mapping[str, date | None] = field(default_factory=dict)
    """Pseudonyms, and since when the consent of each is in force."""
    outcome: str = ALLOWED
    """`ALLOWED`, or `denied` with the status that said so."""


def fed(agency: str, action: str, students: Mapping[str, date | None]) -> AuditEntry:
    """The entry of a batch that flows to an agency."""
    return AuditEntry(subject="ingest", role="service", agency=agency, action=action, students=students)
