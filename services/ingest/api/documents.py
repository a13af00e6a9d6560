"""What the OpenAPI pages say of each route: fields, examples, answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, get_args

from services.ingest.api.answers import Answer, Problem
from services.ingest.api.bodies import NDJSON
from services.ingest.rows.outcomes import Status
from services.ingest.rows.parse import STATUSES

Json = dict[str, Any]
"""A piece of an OpenAPI document, whose shape is FastAPI's business."""


def _text(description: str) -> Json:
    return {"type": "string", "description": description}


def _day(description: str) -> Json:
    return {"type": "string", "format": "date", "description": description}


def _flag(description: str) -> Json:
    return {"anyOf": [{"type": "boolean"}, {"type": "string"}], "description": f"{description}; true or false"}


def _list(description: str) -> Json:
    many = {"type": "array", "items": {"type": "string"}}
    return {"anyOf": [many, {"type": "string"}], "description": f"{description}; an array, or parted by `;`"}


_STUDENT: Final = _text("The district's own id; only its keyed pseudonym travels on")
_SCHOOL: Final = _text("The district's id of the school")


@dataclass(frozen=True, slots=True)
class RouteDocument:
    """One route's documentation."""

    operation_id: str
    summary: str
    description: str
    fields: dict[str, Json]
    required: tuple[str, ...]
    example: Json
    result: Json

    def body(self) -> Json:
        """The request body: one entry, an array, or NDJSON."""
        entry = {
            "type": "object",
            "properties": self.fields,
            "required": list(self.required),
        }
        schema = {"oneOf": [entry, {"type": "array", "items": entry}]}
        examples = {"one": {"value": self.example}, "several": {"value": [self.example]}}
        content = {
            "application/json": {"schema": schema, "examples": examples},
            NDJSON: {"schema": {"type": "string", "description": "One object a line, of any number"}},
        }
        return {"required": True, "content": content}

    def answer(self) -> Json:
        """An answer to the example."""
        counts = dict.fromkeys(get_args(Status), 0) | {"accepted": 1}
        value = Answer.model_validate({**counts, "results": [{"index": 0, "reason": None, **self.result}]})
        return {
            "description": "Each entry's result, in its order",
            "content": {"application/json": {"example": value.model_dump(exclude_unset=True)}},
        }


PROBLEMS: Final[dict[int | str, Json]] = {
    400: {"description": "The body is no JSON", "model": Problem},
    409: {"description": "No agreement is in force, so nothing may be taken in", "model": Problem},
    413: {"description": "The JSON body is too large; NDJSON has no limit", "model": Problem},
    415: {"description": "Neither JSON nor NDJSON", "model": Problem},
    503: {
        "description": "Kafka or the database did not answer in time. Send the same again after `Retry-After`: "
        "what was taken in is a duplicate then",
        "model": Problem,
    },
}

ATTENDANCE: Final = RouteDocument(
    "take_attendance",
    "Take attendance marks in",
    "A mark is `accepted` when Kafka has acknowledged it, or the database keeps it, as it is disclosed. One without "
    "`recorded_at` is recorded now. A mark without a consent in force on its date and now is `not_consented`: it is "
    "counted and dropped. An accepted one that counts nowhere, or changes nothing, has a `warning`.",
    {
        "student_id": _STUDENT,
        "school_id": _SCHOOL,
        "date": _day("The school date"),
        "status": {
            "enum": list(STATUSES),
            "description": "`retracted` takes back what was said of the student, school, date and section",
        },
        "excused": _flag("Whether an absence is excused"),
        "section_id": _text("The section, when the school marks by class period"),
        "minutes_missed": {"type": "integer", "minimum": 0},
        "reason": _text("A known code; anything else is dropped"),
        "recorded_at": {
            "type": "string",
            "format": "date-time",
            "description": "When the school recorded it; without an offset, the school's local time",
        },
        "event_id": _text("The sender's own id: the same event twice is one"),
    },
    ("student_id", "school_id", "date", "status"),
    {"student_id": "100234", "school_id": "0455", "date": "2016-12-05", "status": "absent", "excused": False},
    {"status": "accepted"},
)

CONSENTS: Final = RouteDocument(
    "take_consents",
    "Take consents and withdrawals in",
    "In force from `signed_on` through `expires_on`. `revoked_on` withdraws, from that day on, what was consented to "
    "under the agreement: the records, purpose and recipients that it names, all where it names none. A withdrawal "
    "works at once, and everything that was kept by the consent is erased. A consent that was signed before that day "
    "never counts again and is `rejected`; one of that very day counts when it is handed in after it. A consent must "
    "say all that is listed but `expires_on` and `birth_date`; a withdrawal needs the student, the agreement and its "
    "day. A consent that does not cover what the agreement in force discloses is `not_consented`, and of a student "
    "without any nothing is kept.",
    {
        "student_id": _STUDENT,
        "agreement_id": _text("The data sharing agreement; it was applied"),
        "signed_by": _text("Who signed; kept as proof, never sent"),
        "relationship": _text("`parent`, `guardian`, or `self`: the student, from the eighteenth birthday on"),
        "signed_on": _day("The first day in force"),
        "method": _text("How it was signed"),
        "records": _list("The records that may be shared"),
        "purpose": _text("What for"),
        "recipients": _list("With whom"),
        "expires_on": _day("The last day in force"),
        "revoked_on": _day("The first day without it"),
        "birth_date": _day("Of it only the day of the eighteenth birthday is kept"),
    },
    ("student_id", "agreement_id"),
    {
        "student_id": "100234",
        "agreement_id": "boston-2016",
        "signed_by": "A. Guardian",
        "relationship": "guardian",
        "signed_on": "2016-09-08",
        "method": "paper",
        "records": ["attendance"],
        "purpose": "homelessness-prevention",
        "recipients": ["project-hope"],
        "expires_on": "2017-06-30",
    },
    {"status": "accepted", "student": "Zx3v0Wn1q8rT5uYbKc2mLA"},
)

ENROLLMENTS: Final = RouteDocument(
    "take_enrollments",
    "Take enrollments in",
    "`entry_date` and `exit_date` are both days enrolled; the same student, school and entry date is the same "
    "enrollment. Kept for students whose consent is in force; of the others only their number is.",
    {
        "student_id": _STUDENT,
        "school_id": _SCHOOL,
        "entry_date": _day("The first day enrolled"),
        "exit_date": _day("The last day enrolled"),
        "household_id": _text("The district's id of the household; only its keyed pseudonym is kept"),
        "grade": _text("The grade"),
        "calendar": _text("The calendar of the school that the student follows, when it is not the school's own"),
    },
    ("student_id", "school_id", "entry_date"),
    {"student_id": "100234", "school_id": "0455", "entry_date": "2016-09-08", "grade": "7"},
    {"status": "accepted"},
)

SCHOOL_DAYS: Final = RouteDocument(
    "take_school_days",
    "Take the calendar and closes in",
    "`reported`: the school has sent its last mark of the date, and enrolled students without one were present.",
    {
        "school_id": _SCHOOL,
        "date": _day("The school date"),
        "instructional": _flag("Whether there was school; empty leaves what is known"),
        "reported": _flag("Whether the school has closed the day"),
        "calendar": _text("Whose day it is, when only some of the school's students follow this calendar"),
    },
    ("school_id", "date"),
    {"school_id": "0455", "date": "2016-12-05", "instructional": True, "reported": True},
    {"status": "accepted"},
)
