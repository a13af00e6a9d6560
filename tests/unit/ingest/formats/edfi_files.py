"""Ed-Fi content for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

NAMESPACE = "http://ed-fi.org/5.2.0"


def interchange(name: str, *elements: str, namespace: str = NAMESPACE) -> str:
    body = "\n".join(elements)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Interchange{name} xmlns="{namespace}">\n{body}\n</Interchange{name}>'
    )


def school(school_id: str) -> str:
    return f"<SchoolReference><SchoolIdentity><SchoolId>{school_id}</SchoolId></SchoolIdentity></SchoolReference>"


def student(student_id: str) -> str:
    return (
        f"<StudentReference><StudentIdentity><StudentUniqueId>{student_id}</StudentUniqueId></StudentIdentity>"
        "</StudentReference>"
    )


def event(student_id: str, day: str = "2021-09-07", category: str = "Excused Absence") -> str:
    return (
        f"<StudentSchoolAttendanceEvent><AttendanceEvent><EventDate>{day}</EventDate><AttendanceEventCategory>"
        f"uri://ed-fi.org/AttendanceEventCategoryDescriptor#{category}</AttendanceEventCategory></AttendanceEvent>"
        f"{student(student_id)}{school('255')}</StudentSchoolAttendanceEvent>"
    )


def section_event(student_id: str, section: str) -> str:
    return (
        "<StudentSectionAttendanceEvent><AttendanceEvent><EventDate>2021-09-07</EventDate><AttendanceEventCategory>"
        "uri://ed-fi.org/AttendanceEventCategoryDescriptor#Tardy</AttendanceEventCategory></AttendanceEvent>"
        f"{student(student_id)}<SectionReference><SectionIdentity>{section}<CourseOfferingReference>"
        f"<CourseOfferingIdentity>{school('255')}</CourseOfferingIdentity></CourseOfferingReference>"
        "</SectionIdentity></SectionReference></StudentSectionAttendanceEvent>"
    )


def calendar(code: str, kind: str) -> str:
    return (
        f"<Calendar><CalendarCode>{code}</CalendarCode><CalendarType>uri://ed-fi.org/CalendarTypeDescriptor#{kind}"
        f"</CalendarType>{school('255')}<SchoolYear>2021-2022</SchoolYear></Calendar>"
    )


def calendar_date(code: str, day: str, *events: str) -> str:
    said = "".join(f"<CalendarEvent>uri://ed-fi.org/CalendarEventDescriptor#{name}</CalendarEvent>" for name in events)
    return (
        f"<CalendarDate><Date>{day}</Date>{said}<CalendarReference><CalendarIdentity><CalendarCode>{code}"
        f"</CalendarCode>{school('255')}<SchoolYear>2021-2022</SchoolYear></CalendarIdentity></CalendarReference>"
        "</CalendarDate>"
    )


def session(begin: str, end: str) -> str:
    return f"<Session><BeginDate>{begin}</BeginDate><EndDate>{end}</EndDate>{school('255')}</Session>"


def many_events(number: int) -> Iterator[str]:
    """An interchange of so many events, each of several lines, in pieces."""
    yield f'<InterchangeStudentAttendance xmlns="{NAMESPACE}">\n'
    yield from _lines(event(str(100_000 + n)) for n in range(number))
    yield "</InterchangeStudentAttendance>\n"


def _lines(events: Iterable[str]) -> Iterator[str]:
    return (text.replace("><", ">\n<") + "\n" for text in events)
