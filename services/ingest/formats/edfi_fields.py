"""What every Ed-Fi resource is made of: its fields and where they are, and the codes of descriptors.

A descriptor is a URI whose part after `#` is the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic

from services.ingest.formats.base import RowT_co
from services.ingest.formats.mapping import Mapping
from services.ingest.rows.fields import Values
from services.ingest.rows.parse import RowError

_CODE: Final = re.compile(r"[A-Za-z0-9 ./&_-]{1,40}")
"""A code that may be shown; any other may hold anything."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a field is: a path of elements below the resource's own, and a path of JSON keys."""

    name: str
    xml: str
    json: str
    many: bool = False
    """The last element repeats; in JSON the last key is that of each member of the array before it."""


@dataclass(frozen=True, slots=True)
class Resource(Generic[RowT_co]):
    """One kind of element or JSON object; `parse` returns None for one that has nothing to say."""

    element: str
    collection: str
    fields: tuple[Field, ...]
    parse: Callable[[Values, Mapping], RowT_co | RowError | None]
    """By what the mapping says of codes that the standard does not have."""
    left_out: str = ""
    """What those are that have nothing to say, to be told with their number; empty where that is of no account."""

    def told(self, file: str, number: int) -> str | None:
        """What to say of so many that were left out of a file."""
        return f"{file}: {number:,} {self.element} not read: {self.left_out}" if number and self.left_out else None


def word_of(descriptor: object) -> str:
    """The code of a descriptor as it is written; empty when there is none."""
    return descriptor.rpartition("#")[2].strip() if isinstance(descriptor, str) else ""


def code_of(descriptor: object) -> str:
    """The code of a descriptor, in lower case; empty when there is none."""
    return word_of(descriptor).lower()


def codes_of(descriptors: object) -> list[str]:
    """The codes of several descriptors, in lower case, without empty ones."""
    return [code for code in map(code_of, descriptors) if code] if isinstance(descriptors, list) else []


def told(descriptor: object) -> str:
    """The code of a descriptor, to be shown to people; empty when it is none of a descriptor's."""
    _, sign, code = descriptor.rpartition("#") if isinstance(descriptor, str) else ("", "", "")
    return f", not {code.strip()!r}" if sign and _CODE.fullmatch(code.strip()) else ""


def plain(
    parse: Callable[[Values], RowT_co | RowError | None],
) -> Callable[[Values, Mapping], RowT_co | RowError | None]:
    """Of a resource that has no codes which a mapping may name."""
    return lambda values, _: parse(values)


def year_of(year: object) -> str:
    """The last year of a school year, which XML writes as 2021-2022 and JSON as 2022."""
    return str(year or "").strip()[-4:]


STUDENT: Final = Field(
    "student_id", "StudentReference/StudentIdentity/StudentUniqueId", "studentReference/studentUniqueId"
)
SCHOOL: Final = Field("school_id", "SchoolReference/SchoolIdentity/SchoolId", "schoolReference/schoolId")
_SESSION_PATH: Final = "SessionReference/SessionIdentity"
_SECTION_PATH: Final = "SectionReference/SectionIdentity"
OFFERING_PATH: Final = "CourseOfferingReference/CourseOfferingIdentity"


def section_fields(xml: str = "", json: str = "sectionReference") -> tuple[Field, ...]:
    """What a section is known by, where a reference to it is: `xml` and `json` lead to that."""
    section = f"{xml}{_SECTION_PATH}"
    offering = f"{section}/{OFFERING_PATH}"
    return (
        Field("school_id", f"{offering}/{SCHOOL.xml}", f"{json}/schoolId"),
        Field("section_id", f"{section}/SectionIdentifier", f"{json}/sectionIdentifier"),
        Field("course", f"{offering}/LocalCourseCode", f"{json}/localCourseCode"),
        Field("year", f"{offering}/{_SESSION_PATH}/SchoolYear", f"{json}/schoolYear"),
        Field("session", f"{offering}/{_SESSION_PATH}/SessionName", f"{json}/sessionName"),
    )


def offering_fields(xml: str, json: str) -> tuple[Field, ...]:
    """What a course offering is known by; in JSON its own session and school, or those of the reference to it."""
    session = f"{json}/" if json else "sessionReference/"
    return (
        Field("school_id", f"{xml}{SCHOOL.xml}", f"{session}schoolId"),
        Field("course", f"{xml}LocalCourseCode", f"{json}/localCourseCode" if json else "localCourseCode"),
        Field("year", f"{xml}{_SESSION_PATH}/SchoolYear", f"{session}schoolYear"),
        Field("session", f"{xml}{_SESSION_PATH}/SessionName", f"{session}sessionName"),
    )
