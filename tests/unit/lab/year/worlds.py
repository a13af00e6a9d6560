"""Small random export sets with all that makes real ones hard."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

SCHOOLS = ("north", "south", "far", "late", "unlisted")
_ZONES = {"north": "America/New_York", "south": "", "far": "America/Los_Angeles", "late": "Pacific/Auckland"}
_FIRST = date(2025, 10, 24)
_DAYS = [_FIRST + timedelta(days=n) for n in range(16)]
"""New York's clocks go back inside."""
_STATUSES = ("present", "absent", "absent", "tardy", "early_departure", "partial", " Absent ", "retracted")
_BAD = (
    "s1,north,2025-10-27,ill,,,,,,",
    "s1,north,27.10.2025,absent,,,,,,",
    ",north,2025-10-27,absent,,,,,,",
    "s1,,2025-10-27,absent,perhaps,,,,,",
    "s1,north,2025-10-27,absent,perhaps,,,,,",
    "s1,north,2025-10-27,absent,,,9999,,yesterday,",
    "s1,north,2025-10-27,absent,,,,,2025-10-27,",
    "s1,north,2025-10-27,absent,,,,,2025-02-30T08:00:00,",
    "s1,north,2025-10-27,absent,,,,,1999-10-27T08:00:00Z,",
    "s1,north,2025-10-27,absent,,\x07,,,,",
    "s1,north,2025-10-27",
    "s1,north,2025-10-27,absent,,,,,,,,",
    "s1,north,1995-10-27,absent,,,,,,",
)
_ODD = (
    'south,"s2",2025-10-28,absent,,,,,,',
    '"s2",south,2025-10-28,absent,,,,"tired, and ""ill""",,',
    's2,south,2025-10-28,absent,,,,"two\nlines",,',
    's3,south,2025-10-28,absent,,,,an "open quote,,',
    's3,south,2025-10-28,absent,,,,"never closed,,',
    '"s3" ,south,2025-10-28,absent,,,,,,',
    "",
    "   ",
    "s4,south,2025-10-28,absent,,,,n\0ul,,",
    "s4,south,2025-10-28,absent,,,,lone \r return,,",
)


def write_world(folder: Path, seed: int, *, sections: bool, odd: bool, events: bool) -> None:
    """An export set of a few students; `odd` has lines that a plain CSV reader stumbles over."""
    random = Random(seed)
    end = "\r\n" if seed % 3 == 0 else "\n"
    students = [f"s{n}" for n in range(12)]
    (folder / "schools.csv").write_text(
        end.join(["school_id,name,campus,timezone", *(f"{school},,,{zone}" for school, zone in _ZONES.items()), ""])
    )
    (folder / "enrollments.csv").write_text(
        end.join(["student_id,school_id,entry_date,exit_date", *_enrollments(random, students), ""])
    )
    (folder / "calendar.csv").write_text(end.join(["school_id,date,instructional", *_calendar(random), ""]))
    (folder / "consents.csv").write_text(
        end.join(
            [
                "student_id,agreement_id,signed_by,relationship,method,signed_on,records,purpose,recipients,expires_on,revoked_on"
            ]
        )
        + end
        + end.join([*_consents(random, students), ""])
    )
    rows = [_row(random, students, sections=sections, events=events) for _ in range(260)]
    rows += [random.choice(rows) for _ in range(20)]
    rows += [_corrected(random, random.choice(rows)) for _ in range(60)]
    rows += random.sample(_BAD, 6)
    if odd:
        rows += random.sample(_ODD, 7)
    random.shuffle(rows)
    header = "student_id,school_id,date,status,excused,section_id,minutes_missed,reason,recorded_at,event_id"
    text = end.join([header, *rows]) + (end if seed % 2 else "")
    data = text.encode()
    if odd:
        data = data.replace(b"flu", b"fl\xfc", 1)
    (folder / "attendance.csv").write_bytes(b"\xef\xbb\xbf" + data if seed % 4 == 1 else data)


def _row(random: Random, students: list[str], *, sections: bool, events: bool) -> str:
    school = random.choices(SCHOOLS, (6, 4, 3, 2, 1))[0]
    day = random.choice(_DAYS[6:] if school == "late" else _DAYS)
    section = random.choice(("", "p1", "p2", " p3")) if sections else ""
    reason = random.choice(("", "", "flu"))
    event = f"e{random.randrange(400)}" if events and random.random() < 0.5 else ""
    student = random.choice([*students, "stranger"])
    return ",".join(
        (
            student,
            school,
            day.isoformat(),
            random.choice(_STATUSES),
            random.choice(("", "true", "no", "Y")),
            section,
            random.choice(("", "30")),
            reason,
            _moment(random, day),
            event,
        )
    )


def _moment(random: Random, day: date) -> str:
    late = random.choice((0, 0, 0, 0, 1, 2, 9, -1))
    at = datetime.combine(day + timedelta(days=late), time(random.randrange(24), random.choice((0, 30)), 0))
    kind = random.randrange(8)
    if kind == 0:
        return ""
    if kind == 1:
        return at.isoformat()
    if kind == 2:
        return at.isoformat(sep=" ", timespec="minutes")
    if kind == 3:
        return at.replace(tzinfo=UTC).isoformat()
    if kind == 4:
        return at.isoformat() + "Z"
    if kind == 5:
        return at.isoformat(timespec="milliseconds") + "+05:30"
    if kind == 6:
        return at.isoformat(timespec="microseconds")
    return at.replace(tzinfo=ZoneInfo("America/New_York")).isoformat()


def _corrected(random: Random, row: str) -> str:
    parts = row.split(",")
    parts[3] = random.choice(_STATUSES)
    parts[8] = _moment(random, date.fromisoformat(parts[2]))
    parts[9] = ""
    return ",".join(parts)


def _enrollments(random: Random, students: list[str]) -> list[str]:
    lines = [f"unseen,north,{_FIRST},"]
    for student in students:
        for school in random.sample(SCHOOLS, random.randrange(1, 4)):
            entry = _FIRST + timedelta(days=random.randrange(-30, 8))
            exits = ("", str(entry + timedelta(days=random.randrange(30))), str(entry))
            lines += [f"{student},{school},{entry},{random.choice(exits)}"] * random.choice((1, 1, 2))
            lines.append(f"{student},{school},{entry},{random.choice(exits)}")
    return [*lines, "s1,north,2025-10-27,2025-10-01"]


def _calendar(random: Random) -> list[str]:
    return [
        f"{school},{day},{random.choice(('true', 'true', 'true', 'false', ''))}"
        for school in ("north", "south", "late", "closed")
        for day in [*_DAYS, date(2025, 9, 9), date(2025, 6, 3)]
        for _ in range(random.choice((1, 1, 1, 2)))
        if day.weekday() < 5
    ]


def _consents(random: Random, students: list[str]) -> list[str]:
    fit = "attendance;contact,homelessness-prevention,project-hope;other"
    by = "A. Guardian,parent,paper"
    lines = [f"stranger,A,{by},2025-11-20,{fit},,", f"ghost,A,{by},2025-01-01,{fit},2025-02-01,", f"s1,A,{by},,{fit},,"]
    for student in students[:-1]:
        for _ in range(random.randrange(1, 5)):
            signed = _FIRST + timedelta(days=random.randrange(-20, 14))
            covers = random.choice((fit, fit, fit, "grades,homelessness-prevention,project-hope", ",,"))
            expires = random.choice(("", "", str(signed + timedelta(days=random.randrange(12)))))
            revoked = random.choice(("", "", str(signed + timedelta(days=random.randrange(-1, 12)))))
            given = random.choice((str(signed), str(signed), "" if revoked else str(signed)))
            lines.append(f"{student},{random.choice('AB')},{by},{given},{covers},{expires},{revoked}")
    random.shuffle(lines)
    return lines
