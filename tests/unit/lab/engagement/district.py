"""A small district's folder, made by hand: its agreement gives one party all three kinds, another one of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

FIRST = date(2026, 9, 1)
SCHOOL_DAYS = [day for n in range(150) if (day := FIRST + timedelta(n)).weekday() < 5]
"""The first hundred and some; the twentieth is the last one reported."""
AGREEMENT = """
id = "DSA"
version = 1
effective_on = 2026-07-01
expires_on = 2027-06-30
destroy_by = 2027-12-31

[[party]]
id = "hope"
name = "Hope"
role = "agency"

[[party]]
id = "lead"
name = "Lead"
role = "lead"

[[disclosure]]
to = "lead"
purpose = "evaluation"
records = ["suspensions", "grades"]
schools = ["king"]
form = "aggregate"

[[disclosure]]
to = "lead"
purpose = "evaluation"
records = ["attendance", "grades"]
schools = ["king"]
form = "student"

[[disclosure]]
to = "hope"
purpose = "prevention"
records = ["attendance"]
schools = ["king"]
form = "live"

[[disclosure]]
to = "hope"
purpose = "prevention"
records = ["suspensions", "grades"]
schools = ["king"]
form = "student"
"""
ALL = "attendance;suspensions;grades"


def consent(
    student: str,
    records: str = ALL,
    *,
    to: str = "hope",
    purpose: str = "prevention",
    on: date = FIRST,
    until: str = "",
) -> str:
    return f"{student},DSA,A Guardian,guardian,{on},paper,{records},{purpose},{to},{until}"


def absences(student: str, days: Iterable[int], school: str = "king") -> list[str]:
    """Absent on these of the school days, by number from 0."""
    return [f"{student},{school},{SCHOOL_DAYS[day]},absent,false" for day in days]


def write(
    folder: Path,
    *,
    consents: Iterable[str],
    attendance: Iterable[str] = (),
    enrollments: Iterable[str] = ("S1,king,2026-09-01,", "S2,king,2026-09-01,", "S3,king,2026-09-01,"),
    reported: int = 20,
    **others: Iterable[str],
) -> Path:
    """Write the folder; `others` are more files, header first. A student without a consent reports the last day."""
    folder.mkdir(parents=True, exist_ok=True)
    calendar = [f"king,{day},true" for day in SCHOOL_DAYS]
    last = f"S9,king,{SCHOOL_DAYS[reported - 1]},present,"
    tables = {
        "consents": [
            "student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients,expires_on",
            *consents,
        ],
        "enrollments": ["student_id,school_id,entry_date,exit_date", *enrollments],
        "attendance": ["student_id,school_id,date,status,excused", *attendance, last],
        "calendar": ["school_id,date,instructional", *calendar],
        **others,
    }
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (folder / "agreement.toml").write_text(AGREEMENT)
    return folder
