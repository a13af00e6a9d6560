"""Of which days the rows of a file speak."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from services.ingest.imports.spoken import Spoken
from services.ingest.rows.kinds import GRADES, SUSPENSIONS
from services.ingest.rows.records import CourseRow, DemographicsRow, GradeRow, ProgramRow, SuspensionRow

TODAY = date(2016, 12, 7)


def test_a_file_speaks_from_its_first_day_to_its_last() -> None:
    spoken = Spoken()
    days = (date(2016, 12, 6), date(2016, 10, 3), date(2016, 11, 1))
    spoken.see("suspensions", [SuspensionRow("S", day, Decimal(1)) for day in days], TODAY)
    span = spoken.spans["suspensions"]
    assert (span.first, span.last, span.terms) == (date(2016, 10, 3), date(2016, 12, 6), set())


def test_a_row_without_an_end_speaks_of_the_days_to_this_one_and_one_with_it_of_no_more() -> None:
    spoken = Spoken()
    spoken.see("programs", [ProgramRow("S", "P", date(2016, 9, 1), date(2016, 10, 1))], TODAY)
    assert spoken.spans["programs"].last == date(2016, 10, 1)
    spoken.see("programs", [ProgramRow("S", "P", date(2016, 9, 1))], TODAY)
    assert spoken.spans["programs"].last == TODAY
    spoken.see("programs", [ProgramRow("S", "P", date(2017, 2, 1))], TODAY)
    assert spoken.spans["programs"].last == date(2017, 2, 1)


def test_rows_of_terms_name_them_and_others_without_days_none() -> None:
    spoken = Spoken()
    spoken.see("grades", [GradeRow("S", "M7", "T1", "B"), GradeRow("S", "M7", "T2", "B")], TODAY)
    spoken.see("courses", [CourseRow("S", "M7", "T3", start_date=TODAY)], TODAY)
    spoken.see("demographics", [DemographicsRow("S", "Female")], TODAY)
    assert spoken.spans["grades"].terms == {"T1", "T2"}
    assert (spoken.spans["courses"].terms, spoken.spans["courses"].first) == (set(), TODAY)
    assert (spoken.spans["demographics"].first, spoken.spans["demographics"].terms) == (None, set())
    assert "suspensions" not in spoken.spans


def test_rejected_terms_are_faults_of_what_stands_on_them() -> None:
    spoken = Spoken()
    spoken.faulty.add("terms")
    assert (spoken.is_faulty(GRADES), spoken.is_faulty(SUSPENSIONS)) == (True, False)
    spoken.faulty.add("suspensions")
    assert spoken.is_faulty(SUSPENSIONS)
