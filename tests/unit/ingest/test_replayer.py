"""The order in which a replayed day's rows are handed in, and which days may have school."""

from __future__ import annotations

from datetime import date, timedelta

from services.ingest.formats import Item
from services.ingest.imports.replayer import in_order, school_days
from services.ingest.reporting.schools import Reporting, SchoolReport
from services.ingest.rows.parse import MarkRow

MONDAY = date(2016, 12, 5)
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))


def row(school: str, day: date, student: str = "s") -> Item[MarkRow]:
    return Item(MarkRow(student, school, day, "present"), "attendance.csv", 2)


def dates(parts: list[list[Item[MarkRow]]]) -> list[list[tuple[str, date]]]:
    return [[(item.row.school_id, item.row.date) for item in part] for part in parts]


def test_corrections_come_first_and_then_day_after_day() -> None:
    reporting = Reporting({"A": SchoolReport({}, {MONDAY, TUESDAY}), "B": SchoolReport({}, {MONDAY})})
    rows = [row("A", THURSDAY), row("A", WEDNESDAY), row("A", TUESDAY), row("B", TUESDAY), row("A", MONDAY)]

    assert dates(list(in_order(rows, reporting))) == [
        [("A", TUESDAY), ("A", MONDAY)],
        [("B", TUESDAY)],
        [("A", WEDNESDAY)],
        [("A", THURSDAY)],
    ]


def test_rows_of_a_day_keep_their_order() -> None:
    rows = [row("A", MONDAY, student) for student in ("c", "a", "b")]
    assert list(in_order(rows, Reporting())) == [rows]


def test_without_rows_nothing_is_handed_in() -> None:
    assert list(in_order([], Reporting())) == []


def test_a_day_may_have_school_by_a_calendar_or_because_it_was_reported_up_to_the_last_one_reported() -> None:
    calendar = {MONDAY: True, TUESDAY: False, WEDNESDAY: True, THURSDAY: True}
    reporting = Reporting({"A": SchoolReport(calendar), "B": SchoolReport()})

    assert school_days({MONDAY, TUESDAY}, reporting) == {MONDAY, TUESDAY}
    assert school_days({WEDNESDAY}, reporting) == {MONDAY, WEDNESDAY}
