"""What the API of cases takes and answers with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from services.casework.cases.states import CaseState, Returned
from services.casework.history.schemas import Alert
from services.contracts.alerts import Level
from services.contracts.cases import REFERRED_TO, CaseOutcome, ContactKind, ContactResult, Outcome, ReferredTo

CaseActionName = Literal[
    "take", "undo", "assign", "contact", "refer", "snooze", "close", "accept_referral", "decline_referral"
]
QueueFilter = Literal["new", "mine", "taken", "due", "snoozed", "closed", "referred"]
"""`mine`: taken or snoozed by the caller; `due`: in somebody's hands, and a follow-up is due; `closed`: all that ended;
`referred`: a referral that the caller may answer waits."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000, pattern=r"^[^\x00]*$")]
Subject = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]

EXAMPLE: Final[dict[str, JsonValue]] = {
    "id": "0b4f3a52-9d1e-5c55-8f0a-6b7c1d2e3f40",
    "number": "FB-BNHT-UUU5",
    "state": "taken",
    "level": "elevated",
    "school_id": "dearborn",
    "owner": "caseworker",
    "students": [
        {
            "student": "q7Yc1m3Jx0a9R2k5T8vWzA",
            "student_id": "D-100017",
            "name": "Made-up Name",
            "alerts": ["0b4f3a52-9d1e-5c55-8f0a-6b7c1d2e3f40"],
        }
    ],
    "opened_on": "2016-12-07",
    "updated_at": "2016-12-09T13:05:11.204Z",
    "due_on": "2016-12-14",
}
_NEEDED: Final = {
    "assign": ("to",),
    "contact": ("result",),
    "refer": ("to",),
    "snooze": ("reason",),
    "close": ("outcome",),
}
_TAKEN: Final = {
    "take": (),
    "undo": (),
    "assign": ("to",),
    "contact": ("result", "kind", "until"),
    "refer": ("to",),
    "snooze": ("until", "until_worse", "reason"),
    "close": ("outcome",),
    "accept_referral": (),
    "decline_referral": ("reason",),
}
_ALWAYS: Final = frozenset({"action", "note", "on", "reason"})


class NewCaseAction(BaseModel):
    """What somebody does about a case: `action`, and what belongs to it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"action": "contact", "result": "reached"}]}
    )

    action: CaseActionName
    to: ReferredTo | Subject | None = Field(
        default=None, description="Of `refer`, where to; of `assign`, the colleague's subject."
    )
    result: ContactResult | None = None
    kind: ContactKind | None = Field(default=None, description="Of `contact`: how; every kind counts.")
    until: date | None = Field(default=None, description="Of `snooze`, the day it wakes; of `contact`, the next look.")
    until_worse: bool | None = Field(default=None, description="Of `snooze`: it wakes when the level rises, too.")
    reason: Text | None = Field(default=None, description="Of `snooze` it must be said.")
    outcome: CaseOutcome | None = None
    note: Text | None = None
    on: date | None = Field(default=None, description="The day on which it was done; today when left out.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        missing = [name for name in _NEEDED.get(self.action, ()) if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{self.action} needs {', '.join(missing)}")
        if self.action == "snooze" and self.until is None and not self.until_worse:
            raise ValueError("snooze needs until, or until_worse")
        if self.action == "refer" and self.to not in REFERRED_TO:
            raise ValueError("refer needs one of the places to refer to")
        odd = {name for name in self.model_fields_set if getattr(self, name) is not None}
        odd -= _ALWAYS | set(_TAKEN[self.action])
        if odd:
            raise ValueError(f"{self.action} takes no {', '.join(sorted(odd))}")
        return self

    @property
    def referred_to(self) -> ReferredTo | None:
        """Where a referral goes."""
        return next((place for place in REFERRED_TO if place == self.to), None)


class CaseStudent(BaseModel):
    """A child of the household, and its alerts, the latest first."""

    student: str
    student_id: str
    name: str | None
    """As the district gave it; null when it gave none."""
    alerts: list[UUID]


class CaseItem(BaseModel):
    """A case as it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: UUID
    number: str
    state: CaseState
    level: Level
    school_id: str
    owner: str | None
    """Who has it: the subject of a token."""
    students: list[CaseStudent]
    opened_on: date
    updated_at: datetime
    due_on: date | None
    version: int
    """The ETag without its quotes."""
    reasons: list[str]
    """Of the alert that gives the level, in plain words."""
    reason_kinds: list[str]
    note: str | None
    """The newest."""
    returned: Returned | None
    """Why it came back."""
    snoozed_until: date | None
    until_worse: bool
    referred_to: ReferredTo | None
    referral_expires_on: date | None
    referral_accepted: bool
    ended_on: date | None
    outcome: CaseOutcome | None
    """Null, too, for who does not get the records `housing_status`."""


class CaseCounts(BaseModel):
    """How many cases each filter has."""

    new: int
    mine: int
    taken: int
    due: int
    snoozed: int
    closed: int
    referred: int


class CasePage(BaseModel):
    """A page of cases."""

    items: list[CaseItem]
    next: str | None
    """The cursor of the next page; null on the last."""


class CaseEntry(BaseModel):
    """Something that happened: to an alert, by people, or of itself."""

    at: datetime
    on: date
    what: str
    """An alert's event (`AlertRaised`, …), an action (`take`, …) or what came of itself (`reopened`, …)."""
    subject: str | None
    """Who did it; null where nobody did."""
    student: str | None
    """Of an alert's event."""
    alert: UUID | None
    level: Level | None
    previous_level: Level | None
    because: str | None
    result: ContactResult | None = None
    kind: ContactKind | None = None
    to: str | None = None
    until: date | None = None
    until_worse: bool = False
    reason: str | None = None
    outcome: Outcome | None = None
    """Also one of before there were cases."""
    note: str | None = None
    undone: bool = False


class CaseDetail(CaseItem):
    """A case with all that happened, oldest first, and its alerts whole, also of past episodes."""

    timeline: list[CaseEntry]
    alerts: list[Alert]
    may_undo: bool
    """Whether the caller's own action was the last, and can be taken back."""
