"""How an import is told to people."""

from __future__ import annotations

from collections import Counter

from services.cli.import_lines import describe
from services.ingest.classification.records import NOT_SHARED, OUT_OF_SCOPE_DAYS
from services.ingest.formats import Item
from services.ingest.imports.report import Report
from services.ingest.rows.outcomes import ACCEPTED, NOT_CONSENTED, Outcome
from services.ingest.rows.records import GradeRow
from services.ingest.take.snapshot import TakenBack


def seen(report: Report, *outcomes: Outcome, name: str = "grades", student: str = "S1") -> None:
    items = [Item(GradeRow(student, "M7", "T1", "B"), f"{name}.csv", line) for line, _ in enumerate(outcomes, 2)]
    report.count(name, outcomes)
    report.see_records(name, items, outcomes)


def test_each_file_has_a_line_in_one_table() -> None:
    report = Report()
    report.count("consents", [ACCEPTED] * 1_200)
    seen(report, ACCEPTED, NOT_CONSENTED["records"])
    report.marks.update(accepted=12_345)
    title, head, *lines = describe(report, dry_run=False)
    assert title == "Rows by file:"
    assert head.split() == ["read", "accepted", "duplicate", "rejected", "not", "consented", "out", "of", "scope"]
    assert [line.split() for line in lines[:3]] == [
        ["consents", "1,200", "1,200", "0", "0", "0", "0"],
        ["grades", "2", "1", "0", "0", "1", "0"],
        ["attendance", "12,345", "12,345", "0", "0", "0", "0"],
    ]
    assert len({len(line) for line in (head, *lines[:3])}) == 1


def test_why_rows_of_a_kind_were_not_kept_is_said_with_what_to_do() -> None:
    report = Report()
    seen(report, NOT_CONSENTED["records"], NOT_CONSENTED["records"], NOT_CONSENTED["ended"])
    seen(report, NOT_SHARED, name="suspensions")
    seen(report, OUT_OF_SCOPE_DAYS, name="programs")
    seen(report, NOT_CONSENTED["unknown_student"], name="courses")
    notes = report.all_warnings()
    assert notes == [
        "grades: 3 rows are not consented (2 of other kinds of records alone, 1 after the consent). Their consents do "
        "not cover grades: see `records` in the consents.",
        "courses: 1 rows are not consented (1 of students whom no such consent names). No consent to grades names "
        "these students: compare the ids of the files, and see `records` in the consents.",
        "suspensions: 1 rows are out of scope. The agreement in force shares no such records with anybody; `firstbell "
        "agreement show` says what it shares.",
        "programs: 1 rows are out of scope. No enrollment at a school of which the agreement in force shares such "
        "records lies in its days; `firstbell agreement show` says what it shares.",
    ]
    assert all(f"Note: {note}" in describe(report, dry_run=True) for note in notes)


def test_ids_that_a_spreadsheet_has_spoilt_are_hinted_at_in_records_too() -> None:
    report = Report()
    report.ids.know("0815")
    seen(report, NOT_CONSENTED["unknown_student"], student="815")
    assert [text for text in report.ids.warnings() if text.startswith("grades.csv: 1 of 1 rows of unknown students")]


def test_what_a_snapshot_took_back_is_a_column_of_the_kinds_that_it_is_of() -> None:
    report = Report(is_snapshot=True, taken_back=TakenBack(3, 100))
    report.count("consents", [ACCEPTED])
    report.marks.update(accepted=97)
    seen(report, ACCEPTED)
    seen(report, ACCEPTED, name="suspensions")
    report.records_back = {"grades": TakenBack(2, 10), "suspensions": TakenBack(90, 100, refused=True)}
    kinds = report.kinds()
    assert "taken_back" not in kinds["consents"]
    assert {name: kinds[name]["taken_back"] for name in ("attendance", "grades", "suspensions")} == {
        "attendance": 3,
        "grades": 2,
        "suspensions": 0,
    }
    lines = describe(report, dry_run=False)
    assert "Taken back: 3 of the 100 marks that stood." in lines
    assert "Taken back: 2 of the 10 rows of grades that stood." in lines
    assert any("Nothing was taken back of rows of suspensions: it would be 90 of 100 (90%)" in line for line in lines)
    assert report.refused


def test_without_a_snapshot_the_kinds_are_as_the_contract_has_them() -> None:
    report = Report()
    seen(report, ACCEPTED)
    assert report.kinds() == {
        "grades": {"read": 1, "accepted": 1, "duplicate": 0, "rejected": 0, "not_consented": 0, "out_of_scope": 0}
    }
    assert not report.refused
    assert Counter(report.kinds()["grades"])["taken_back"] == 0
