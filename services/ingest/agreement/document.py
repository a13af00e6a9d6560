"""The Data Sharing Agreement as a document: who gets which records of which schools, for what, and until when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from services.platform.sharing import ANY, ATTENDANCE, HOUSING_STATUS, OTHER_RECORDS

MOST_VERSIONS: Final = 1_000_000
AgreementId = Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._-]{0,63})$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
SchoolId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
Day = Annotated[date, Strict()]
PartyRole = Literal["district", "lead", "agency"]
RecordKind = Literal[
    "attendance",
    "contact",
    "demographics",
    "programs",
    "grades",
    "assessments",
    "suspensions",
    "graduations",
    "housing_status",
]
Form = Literal["live", "student", "aggregate"]
"""`live`: marks flow and alerts go out; `student`: rows of students; `aggregate`: counts, small ones suppressed."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Party(_Strict):
    """Who signed."""

    id: Identifier
    name: str = Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")
    role: PartyRole


class Disclosure(_Strict):
    """What one party gets: these kinds of records, of these schools, for this purpose, in this form."""

    to: Identifier
    purpose: Identifier
    records: tuple[RecordKind, ...] = Field(min_length=1)
    schools: tuple[SchoolId, ...] = Field(min_length=1)
    form: Form


class Agreement(_Strict):
    """One version of the agreement. It covers days from `effective_on` to `expires_on`, both inclusive."""

    id: AgreementId
    version: int = Field(ge=1, le=MOST_VERSIONS)
    effective_on: Day
    expires_on: Day
    destroy_by: Day
    """What was shared is destroyed by then."""
    small_cell: int = Field(default=10, ge=1)
    """Counts of people below this are never shown."""
    retention_days: int | None = Field(default=None, ge=1)
    """For how long marks, alerts and actions stay in Kafka's log; None means `RETENTION_DAYS`."""
    party: tuple[Party, ...] = Field(min_length=1)
    disclosure: tuple[Disclosure, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, whatever the file's comments and order of fields."""
        return hashlib.sha256(self.model_dump_json(exclude_none=True).encode()).hexdigest()

    def covers(self, day: date) -> bool:
        """Whether the day lies in its term."""
        return self.effective_on <= day <= self.expires_on

    def feeds(self) -> tuple[Feed, ...]:
        """What flows: one feed an agency with live attendance."""
        return self._feeds(ATTENDANCE, live=True)

    def attendance_feeds(self) -> tuple[Feed, ...]:
        """What flows, and after it the attendance that is kept for the other forms: one a party and purpose."""
        return (*self.feeds(), *self._feeds(ATTENDANCE, live=False))

    def record_feeds(self, kind: str) -> tuple[Feed, ...]:
        """What is kept of one of `OTHER_RECORDS`, in whatever form it is disclosed: one a party and purpose."""
        return self._feeds(kind)

    def all_feeds(self) -> tuple[Feed, ...]:
        """Those of attendance, and after them the others."""
        return (*self.attendance_feeds(), *(feed for kind in OTHER_RECORDS for feed in self.record_feeds(kind)))

    def _feeds(self, kind: str, *, live: bool | None = None) -> tuple[Feed, ...]:
        schools: dict[tuple[str, str], set[str]] = {}
        for each in self.disclosure:
            if kind in each.records and live in (None, each.form == "live"):
                schools.setdefault((each.to, each.purpose), set()).update(each.schools)
        return tuple(
            Feed(to, purpose, frozenset(of), bool(live) and kind == ATTENDANCE, kind)
            for (to, purpose), of in schools.items()
        )


class FeedId(NamedTuple):
    """Whose something is that is kept of a student."""

    agency: str
    kept_for: str = ""
    """Empty when it flows. Else the purpose for which attendance is kept in the schema `district`; before the purpose
    of another kind of records stands the kind, with a colon, which no purpose has."""

    @property
    def kind(self) -> str:
        """Of which kind of records it is."""
        kind, colon, _ = self.kept_for.partition(":")
        return kind if colon else ATTENDANCE

    @property
    def purpose(self) -> str:
        """For which purpose it is kept; empty when it flows: that is the agreement's then."""
        return self.kept_for.rpartition(":")[2]

    @property
    def in_words(self) -> str:
        """For people: which records, for whom, and for what."""
        return f"{self.kind} for {self.agency} ({self.purpose or 'live'})"

    def __str__(self) -> str:
        """A text that no other feed has: neither an agency's id nor a purpose has a slash."""
        return "/".join(filter(None, self))


@dataclass(frozen=True, slots=True)
class Feed:
    """One kind of records that one party gets for one purpose, with students and pseudonyms of its own.

    What is live flows to an agency, which has windows, alerts and capacity of its own; what is not is kept in the
    schema `district` and never enters Kafka.
    """

    agency: str
    purpose: str
    schools: frozenset[str]
    live: bool = True
    kind: str = ATTENDANCE

    @property
    def id(self) -> FeedId:
        """Whose the students are: all that is live to an agency is one feed, also when its purpose changes."""
        if self.live:
            return FeedId(self.agency)
        return FeedId(self.agency, self.purpose if self.kind == ATTENDANCE else f"{self.kind}:{self.purpose}")

    def has(self, school_id: str) -> bool:
        """Whether the school's records are in it."""
        return school_id in self.schools or ANY in self.schools


def covers(agreement: Agreement, feed: Feed, school_id: str, day: date) -> bool:
    """Whether a mark of this school and date is in the feed."""
    return feed.has(school_id) and agreement.covers(day)


def assumed(agency: str, purpose: str) -> Agreement:
    """What is assumed of a folder without an agreement: all of it flows to one agency, whatever its consents name."""
    return Agreement(
        id=ANY,
        version=1,
        effective_on=date.min,
        expires_on=date.max,
        destroy_by=date.max,
        small_cell=10,
        party=(Party(id=agency, name=agency, role="agency"),),
        disclosure=(
            Disclosure(
                to=agency,
                purpose=purpose,
                records=(ATTENDANCE, HOUSING_STATUS, *OTHER_RECORDS),
                schools=(ANY,),
                form="live",
            ),
        ),
    )
