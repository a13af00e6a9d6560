"""OneRoster: academic sessions, which are school years, semesters, terms and grading periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.ingest.formats.oneroster_table import NAME_LENGTH, is_deleted, roster_table, word
from services.ingest.rows import fields
from services.ingest.rows.fields import FieldError, Values


@dataclass(frozen=True, slots=True)
class AcademicSession:
    """A row of `academicSessions`."""

    sourced_id: str
    name: str
    """With the school year, where its title does not say it."""
    type: str
    begin: date
    end: date
    """The first day after it."""
    deleted: bool

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)


def _session(values: Values) -> AcademicSession:
    begin, end = fields.required_date(values, "startDate"), fields.required_date(values, "endDate")
    if end <= begin:
        raise FieldError("endDate", "a day after startDate")
    sourced_id = fields.required_id(values, "sourcedId")
    title = fields.optional_words(values, "title", NAME_LENGTH) or sourced_id
    year = fields.optional_text(values, "schoolYear") or ""
    name = title if year in title else f"{title} {year}"
    return AcademicSession(sourced_id, name, word(values, "type"), begin, end, is_deleted(values))


SESSIONS: Final = roster_table(
    "sourcedId status title type startDate endDate schoolYear",
    "parentSourcedId",
    "sourcedId title type startDate endDate",
    _session,
)
