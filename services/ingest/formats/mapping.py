"""The TOML file that says what a system calls its columns and its codes."""

from __future__ import annotations

import tomllib
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from services.contracts.marks import AttendanceStatus
from services.ingest.formats.base import FormatError
from services.ingest.rows.parse import REASONS

Header = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]
Meaning = Literal["present", "absent", "absent-excused", "absent-unexcused", "tardy", "early_departure", "partial"]
Kind = Literal["instructional", "non-instructional"]
DisciplineMeaning = Literal["in-school", "out-of-school", "other"]
"""Whether a disciplinary action is a suspension, and where it is served."""
ExitMeaning = Literal["graduated", "continuing", "dropped_out", "transferred", "other"]
"""What an exit from a school says of graduation: `other` is nothing."""

MEANINGS: Final[dict[Meaning, tuple[AttendanceStatus, bool | None]]] = {
    "present": ("present", None),
    "absent": ("absent", None),
    "absent-excused": ("absent", True),
    "absent-unexcused": ("absent", False),
    "tardy": ("tardy", None),
    "early_departure": ("early_departure", None),
    "partial": ("partial", None),
}
"""What a code means: a status, and whether it is excused."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Columns(_Strict):
    """The header of each column. Those that are named must all be in the file."""

    student_id: Header
    school_id: Header
    date: Header
    absent: Header | None = None
    tardy: Header | None = None
    dismissed: Header | None = None
    excused: Header | None = None
    status: Header | None = None
    """A code of `statuses`, in place of the flags."""
    code: Header | None = None
    section_id: Header | None = None
    recorded_at: Header | None = None

    @model_validator(mode="after")
    def _each_its_own(self) -> Self:
        headers = list(self.model_dump(exclude_none=True).values())
        if len(set(headers)) < len(headers) or (self.status is None) == (self.absent is None):
            raise ValueError
        return self


class Mapping(_Strict):
    """How to read one system's exports."""

    columns: Columns | None = None
    date_format: str = "%Y-%m-%d"
    """As `strptime` takes it."""
    statuses: dict[Code, Meaning] = Field(default_factory=dict)
    """By the code in the column `status`; a row with any other is rejected."""
    codes: dict[Code, str] = Field(default_factory=dict)
    """The code to a known reason; a code that is not here is dropped."""
    attendance_categories: dict[Code, Meaning] = Field(default_factory=dict)
    """Ed-Fi: what is behind the # of a descriptor that the standard does not have."""
    calendar_events: dict[Code, Kind] = Field(default_factory=dict)
    """Ed-Fi, likewise."""
    disciplines: dict[Code, DisciplineMeaning] = Field(default_factory=dict)
    """Ed-Fi, likewise."""
    exit_types: dict[Code, ExitMeaning] = Field(default_factory=dict)
    """Ed-Fi, likewise."""
    english_proficiencies: dict[Code, bool] = Field(default_factory=dict)
    """Ed-Fi, likewise: whether one with that LimitedEnglishProficiency is an English learner."""
    grade_type: Code = "grading period"
    """Ed-Fi: the code of the GradeType whose grades are read; marks of one type alone can be compared over terms."""
    grade_scale_max: Annotated[Decimal, Field(gt=0, le=1_000)] | None = None
    """Ed-Fi: the best numeric grade (100, or 4.0), which the standard does not say."""

    @field_validator("date_format")
    @classmethod
    def _names_a_day(cls, value: str) -> str:
        day = datetime(2016, 12, 31)  # noqa: DTZ001 - only its date is looked at
        if datetime.strptime(day.strftime(value), value).date() != day.date():  # noqa: DTZ007
            raise ValueError
        return value

    @field_validator("codes")
    @classmethod
    def _known_reasons(cls, value: dict[str, str]) -> dict[str, str]:
        if not REASONS.issuperset(value.values()):
            raise ValueError
        return value

    @model_validator(mode="after")
    def _codes_have_meanings(self) -> Self:
        if self.columns is not None and (self.columns.status is not None) != bool(self.statuses):
            raise ValueError
        return self


_MEANINGS: Final = f"expected a table from code to one of {', '.join(MEANINGS)}"
_HINTS: Final = {
    "date_format": "expected a format with year, month and day, such as %m/%d/%Y",
    "codes": f"expected a table from code to one of {', '.join(sorted(REASONS))}",
    "statuses": _MEANINGS,
    "attendance_categories": _MEANINGS,
    "calendar_events": "expected a table from code to instructional or non-instructional",
    "disciplines": "expected a table from code to in-school, out-of-school or other",
    "exit_types": f"expected a table from code to one of {', '.join(get_args(ExitMeaning))}",
    "english_proficiencies": "expected a table from code to true or false",
    "grade_type": "expected the code of a GradeType, such as Grading Period",
    "grade_scale_max": "expected the best numeric grade, up to 1000, such as 100",
    "columns": "expected names of columns, each once, and either absent or status",
    "": "expected [statuses] when, and only when, the columns name a status; see deploy/mappings",
}
_UNKNOWN: Final = "no such table; see deploy/mappings"


def load_mapping(path: Path) -> Mapping:
    """The mapping in the file; raises `FormatError` that says everything that is wrong with it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FormatError(f"The mapping {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"The mapping {path} is not TOML; see deploy/mappings.") from error
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_context=False, include_url=False)
        told = [f"{'.'.join(map(str, one['loc'])) or path.name}: {_hint(one['loc'])}" for one in wrong]
        raise FormatError(f"The mapping {path} cannot be used: {'; '.join(dict.fromkeys(told))}.") from error


def _hint(place: tuple[int | str, ...]) -> str:
    return _HINTS.get(str(place[0]) if place else "", _UNKNOWN)
