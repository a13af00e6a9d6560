"""What ingest holds of one student, feed by feed, and who was shown it: as an inspection tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from services.ingest.inspection.corrections import Decision
from services.ingest.proofs.schemas import Proof
from services.platform.erasure.entry import Because


class HeldConsent(BaseModel):
    """A consent, as far as it was not withdrawn."""

    agreement: str
    signed_on: date
    signed_by: str | None
    relationship: str | None
    method: str | None
    records: list[str]
    purpose: str | None
    recipients: list[str]
    expires_on: date | None
    revoked_on: date | None


class HeldEnrollment(BaseModel):
    """Days enrolled at a school, both ends inclusive; an empty school is one that is not shared with the party."""

    school: str
    entry_date: date
    exit_date: date | None


class HeldMark(BaseModel):
    """What a school said of a day."""

    date: date
    school: str
    section: str
    """Empty: the whole day."""
    status: str | None
    """None: only a digest is kept, of the first releases."""
    excused: bool | None
    reason: str | None = None
    recorded_at: datetime | None
    """As of when the school said it; None: the replay of a history did."""
    taken_at: datetime | None
    source: Literal["file", "message"] | None
    stands: bool
    """Nothing later was said of the same."""


class HeldRecord(BaseModel):
    """What was said of the student beside attendance: a row of one file of the export set."""

    file: str
    """Its name, without ending; demographics are columns of `students`."""
    says: dict[str, bool | str | None]
    """The row's fields: dates in ISO 8601, numbers as they were written."""
    first: date | None
    """The first day that it is about, and the last; None: none is known."""
    last: date | None
    said_at: datetime
    """As of when it was said."""
    until: datetime | None
    """When something else was said, or it was taken back; None: it stands."""


class HeldStatement(BaseModel):
    """A parent's request to correct the record."""

    number: int
    about: date | None
    statement: str
    asked_on: date
    decided_on: date | None
    decision: Decision | None
    note: str | None


class HeldFeed(BaseModel):
    """All that is kept of the student for one party, under a pseudonym of its own."""

    pseudonym: str
    party: str
    kind: str
    """The kind of records."""
    kept_for: str
    """The purpose for which it is kept in the district's database alone; empty: it flows to the party."""
    student_id: str
    first_name: str | None
    last_name: str | None
    grade: str | None
    household: str | None
    """A household's pseudonym."""
    slot: int
    adult_on: date | None
    """The day of the eighteenth birthday, where it is known."""
    consent_from: date | None
    """None: no consent is in force, so that the party is shown nothing."""
    consent_through: date | None
    has_key: bool
    events: int
    """Messages of which a digest is kept, so that one that comes twice counts once."""
    consents: list[HeldConsent]
    enrollments: list[HeldEnrollment]
    marks: list[HeldMark]
    """Of attendance alone."""
    records: list[HeldRecord]
    """Of the other kinds: what stands, and what it replaced."""
    statements: list[HeldStatement]


class Erased(BaseModel):
    """An entry of the ledger: what ended, and what was removed with it."""

    id: UUID
    pseudonym: str | None
    """None: a consent that does not count any more, under which nothing was kept."""
    agreement: str
    party: str
    """`*` is everyone."""
    kinds: list[str]
    """The kinds of records for which it ended; none: for all."""
    kept_for: str
    """The purpose for which they were kept; empty: they flowed to the party, or it ended for every purpose."""
    because: Because
    ended_on: date
    at: datetime
    by: str
    proof: Proof | None


class Seen(BaseModel):
    """Who was shown something of the student, or asked in vain. Of others who were in the same answer nothing."""

    first: datetime
    last: datetime
    times: int
    """One for people; what flows to a party is summed up."""
    subject: str
    role: str
    agency: str | None
    action: str
    purpose: str | None
    agreement: str | None
    outcome: str


class HeldByIngest(BaseModel):
    """All that ingest holds."""

    feeds: list[HeldFeed]
    erased: list[Erased]
    seen: list[Seen]
    schools: dict[str, str]
    """Names, by id."""
    parties: dict[str, str]

    @property
    def pseudonyms(self) -> list[str]:
        """All under which the student is or was known."""
        return pseudonyms_of(self.feeds, self.erased)


def pseudonyms_of(feeds: Sequence[HeldFeed], erased: Sequence[Erased]) -> list[str]:
    """Each under which the student is or was known, once."""
    return list(dict.fromkeys([*(one.pseudonym for one in feeds), *(one.pseudonym for one in erased if one.pseudonym)]))
