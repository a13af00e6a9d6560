"""What is shared beside attendance: kept by kind in the schema `district`, never sent, gone when its ground is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from services.ingest.agreement.document import Agreement
from services.ingest.formats import open_sources
from services.ingest.imports.dry_run import rehearse
from services.ingest.imports.importer import Importer, Snapshot
from services.ingest.imports.report import Report
from services.ingest.rows.kinds import DEMOGRAPHICS, RECORD_TABLES, SUSPENSIONS
from services.ingest.rows.records import DemographicsRow
from services.ingest.take.hand_in import HandIn
from services.ingest.take.snapshot import Limits
from services.platform.sharing import OTHER_RECORDS
from tests.integration.ingest_support import sent
from tests.integration.taking import Taken

DSNI, STUDY = "dsni", "program-evaluation"
FIRST, LAST, DAY = date(2016, 12, 5), date(2018, 6, 30), date(2016, 12, 6)
STUDENT: Final = "RAW-0815"
NOTHING: Final = dict.fromkeys(("read", "accepted", "duplicate", "rejected", "not_consented", "out_of_scope"), 0)
ALL: Final = ";".join(OTHER_RECORDS)

FILES: Final = {
    "enrollments": f"student_id,school_id,entry_date\n{STUDENT},both,2016-09-01\nS2,others,2016-09-01\n",
    "students": (
        "student_id,first_name,last_name,grade,gender,race_ethnicity,english_learner,special_education\n"
        f"{STUDENT},Planted,Name,7,Female,Two or more,true,false\nS3,Other,Name,7,Male,,perhaps,\n"
    ),
    "terms": "term,start_date,end_date,grade_scale_max\nT1,2016-11-01,2017-01-20,100\nT0,2016-08-01,2016-10-31,\n",
    "programs": f"student_id,program,entry_date,exit_date\n{STUDENT},Tutoring,2016-12-06,\n{STUDENT},,2016-12-06,\n",
    "eligibility": f"student_id,program,from,through,reason\n{STUDENT},Tutoring,2016-11-01,2017-06-30,grade 7\n",
    "courses": (
        f"student_id,course,title,subject,level,term\n{STUDENT},M7,Math 7,Mathematics,regular,T1\n"
        f"{STUDENT},M6,Math 6,Mathematics,regular,T0\n"
    ),
    "grades": f"student_id,course,term,grade,credits\n{STUDENT},M7,T1,b+,1\nS9,M7,T1,B,1\n{STUDENT},A7,T1,93.50,\n",
    "assessments": (
        f"student_id,assessment,date,scale_score,performance_level\n{STUDENT},MCAS Math,2016-12-06,240,Proficient\n"
        f"{STUDENT},MCAS Math,2017-12-06,240,Proficient\n"
    ),
    "suspensions": f"student_id,date,days,in_school\n{STUDENT},2016-12-06,0.5,true\n",
    "graduations": f"student_id,cohort_year,status,date\n{STUDENT},2022,continuing,\n",
}


def agreement(version: int, *schools: str, records: tuple[str, ...] = OTHER_RECORDS, **more: Any) -> Agreement:
    given = {
        "id": "DSA",
        "version": version,
        "effective_on": FIRST,
        "expires_on": LAST,
        "destroy_by": date(2018, 12, 31),
        "party": [{"id": one, "name": one, "role": "agency"} for one in (DSNI, "city")],
        "disclosure": [{"to": DSNI, "purpose": STUDY, "records": records, "schools": schools, "form": "student"}],
    }
    return Agreement.model_validate(given | more)


def folder_of(path: Path, files: Mapping[str, str], *, records: str = ALL) -> Path:
    path.mkdir(exist_ok=True)
    consents = (
        "student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients\n"
        f"{STUDENT},DSA,A Guardian,parent,2016-09-01,paper,{records},{STUDY},{DSNI}\n"
        f"S2,DSA,A Guardian,parent,2016-09-01,paper,{records},{STUDY},{DSNI}\n"
    )
    for name, content in {"consents": consents, **files}.items():
        (path / f"{name}.csv").write_text(content)
    return path


async def imported(
    taken: Taken, folder: Path, as_of: datetime | None = None, snapshot: Snapshot | None = None
) -> Report:
    return await Importer(taken.intake, open_sources([folder]), lambda _: None).run(as_of, snapshot)


async def kept(taken: Taken, student: str = STUDENT) -> dict[str, int]:
    """How many rows are kept of the student, by table."""
    found = {}
    for name in RECORD_TABLES:
        query = f"SELECT FROM district.{name} r JOIN ingest.students s ON s.id = r.student WHERE s.student_id = :id"
        found[name] = len(await taken.rows(query, student))
    return found


ONE_OF_EACH: Final = {**dict.fromkeys(RECORD_TABLES, 1), "grades": 2}


async def test_each_kind_is_imported_counted_and_never_sent(taken: Taken, tmp_path: Path) -> None:
    await taken.apply(agreement(1, "both"))
    folder = folder_of(tmp_path / "set", FILES)
    report = await imported(taken, folder)
    kinds: Any = report.document()["kinds"]
    assert {name: {key: n for key, n in counts.items() if n} for name, counts in kinds.items()} == {
        "consents": {"read": 2, "accepted": 2},
        "students": {"read": 2, "accepted": 1, "not_consented": 1},
        "enrollments": {"read": 2, "accepted": 1, "out_of_scope": 1},
        "terms": {"read": 2, "accepted": 2},
        "demographics": {"read": 2, "accepted": 1, "rejected": 1},
        "programs": {"read": 2, "accepted": 1, "rejected": 1},
        "eligibility": {"read": 1, "accepted": 1},
        "courses": {"read": 2, "accepted": 1, "out_of_scope": 1},
        "grades": {"read": 3, "accepted": 2, "not_consented": 1},
        "assessments": {"read": 2, "accepted": 1, "rejected": 1},
        "suspensions": {"read": 1, "accepted": 1},
        "graduations": {"read": 1, "accepted": 1},
    }
    assert await kept(taken) == ONE_OF_EACH
    rows = "SELECT r.grade FROM district.grades r JOIN ingest.students s ON s.id = r.student WHERE s.student_id = :id"
    assert sorted(row.grade for row in await taken.rows(rows, STUDENT)) == ["93.5", "B+"]
    places = {(one.file, one.line, one.field) for one in report.rejections}
    assert places == {
        ("students.csv", 3, "english_learner"),
        ("programs.csv", 3, "program"),
        ("assessments.csv", 3, "date"),
    }

    again: Any = (await imported(taken, folder)).document()["kinds"]
    assert again["grades"] == NOTHING | {"read": 3, "duplicate": 2, "not_consented": 1}
    assert again["demographics"]["duplicate"] == again["terms"]["duplicate"] - 1 == 1
    assert await kept(taken) == ONE_OF_EACH

    names = [
        row.pseudonym for row in await taken.rows("SELECT pseudonym FROM ingest.students WHERE agency = :id", DSNI)
    ]
    assert len(names) == 2 * len(OTHER_RECORDS)
    everything = [(one.key or "").encode() + (one.value or b"") for one in await sent(taken.settings.require_kafka())]
    planted = [*names, STUDENT, "Planted", "Tutoring", "MCAS", "Two or more"]
    assert not [word for word in planted for one in everything if word.encode() in one]


async def test_a_dry_run_says_what_an_import_would(taken: Taken, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "set", FILES)
    given = agreement(1, "both")
    await taken.apply(given)
    moment = datetime(2016, 12, 7, tzinfo=UTC)
    rehearsed = rehearse(open_sources([folder]), given, taken.settings, moment, lambda _: None)
    report = await imported(taken, folder)
    kinds: Any = rehearsed.document()["kinds"]
    assert kinds.keys() == report.kinds().keys()


@pytest.mark.parametrize("kind", OTHER_RECORDS)
async def test_a_withdrawal_of_a_kind_takes_that_kind_alone(taken: Taken, tmp_path: Path, kind: str) -> None:
    await taken.apply(agreement(1, "both"))
    await imported(taken, folder_of(tmp_path / "set", FILES))
    assert await taken.revoke(STUDENT, DAY, DSNI, records=(kind,)) == "accepted"
    gone = {name for name, table in RECORD_TABLES.items() if table.kind == kind}
    assert await kept(taken) == {name: n for name, n in ONE_OF_EACH.items() if name not in gone} | dict.fromkeys(
        gone, 0
    )
    report: Any = (await imported(taken, tmp_path / "set")).document()["kinds"]
    assert {report[name]["accepted"] + report[name]["duplicate"] for name in gone} == {0}
    assert all(report[name]["not_consented"] for name in gone)


async def test_a_new_version_takes_what_it_does_not_share(taken: Taken, tmp_path: Path) -> None:
    await taken.apply(agreement(1, "both", "others"))
    await imported(taken, folder_of(tmp_path / "set", FILES))
    await taken.apply(agreement(2, "both", records=("grades",)))
    assert await kept(taken) == dict.fromkeys(RECORD_TABLES, 0) | {"grades": 2, "courses": 1}
    await taken.apply(agreement(3, "others", records=("grades",)))
    assert sum((await kept(taken)).values()) == 0


async def test_what_was_corrected_or_taken_back_is_known_as_of_then(taken: Taken, tmp_path: Path) -> None:
    await taken.apply(agreement(1, "both"))
    moments = [datetime(2016, 12, day, 9, tzinfo=UTC) for day in (5, 6, 7)]
    folder = folder_of(tmp_path / "set", FILES)
    await imported(taken, folder, moments[0])
    (folder / "grades.csv").write_text(FILES["grades"].replace("b+", "F"))
    await imported(taken, folder, moments[1])
    await imported(taken, folder_of(tmp_path / "old", FILES), moments[0])
    history = """
        SELECT r.grade, said_at, CASE WHEN until < 'infinity' THEN until END AS until
        FROM district.grades r JOIN ingest.students s ON s.id = r.student
        WHERE s.student_id = :id AND course = 'M7' ORDER BY said_at
    """
    assert [tuple(row) for row in await taken.rows(history, STUDENT)] == [
        ("B+", moments[0], moments[1]),
        ("F", moments[1], None),
    ]

    standing = "SELECT run FROM district.suspensions WHERE until = 'infinity' AND :id <> ''"
    ((run,),) = await taken.rows(standing, STUDENT)
    close = taken.intake.pulled.close_other_records
    await close(SUSPENSIONS, {(STUDENT, DAY, "")}, run, moments[2], {STUDENT})  # its source still says this one
    assert len(await taken.rows(standing, STUDENT)) == 1
    await close(SUSPENSIONS, {(STUDENT, FIRST, "")}, run, moments[2], {STUDENT})
    assert await taken.rows(standing, STUDENT) == []
    assert (await kept(taken))["suspensions"] == 1


async def test_no_rows_are_not_the_same_as_no_file(taken: Taken, tmp_path: Path) -> None:
    await taken.apply(agreement(1, "both"))
    empty = {"enrollments": FILES["enrollments"], "suspensions": "student_id,date,days,in_school\n"}
    report: Any = (await imported(taken, folder_of(tmp_path / "set", empty))).document()["kinds"]
    assert report["suspensions"] == NOTHING
    assert "grades" not in report
    files = await taken.rows("SELECT file FROM district.handed_in WHERE :id <> ''", STUDENT)
    assert [row.file for row in files] == ["suspensions"]


MOMENTS: Final = [datetime(2016, 12, day, 9, tzinfo=UTC) for day in (3, 5, 6)]
SUSPENDED: Final = "student_id,date,days,in_school\n"


def suspended(*days: str, student: str = STUDENT) -> str:
    return "".join(f"{student},{day},1,false\n" for day in days)


async def suspensions(taken: Taken, student: str = STUDENT) -> list[str]:
    """The days of the suspensions that stand."""
    query = """
        SELECT date FROM district.suspensions r JOIN ingest.students s ON s.id = r.student
        WHERE s.student_id = :id AND until = 'infinity' ORDER BY date
    """
    return [row.date.isoformat() for row in await taken.rows(query, student)]


async def test_what_a_snapshot_does_not_say_is_taken_back_within_its_days(taken: Taken, tmp_path: Path) -> None:
    await taken.apply(agreement(1, "both", "others", effective_on=date(2016, 9, 1)))
    enrolled = {"enrollments": FILES["enrollments"]}
    days = ["2016-09-20", "2016-10-03", "2016-11-01", "2016-12-02"]
    first = SUSPENDED + suspended(*days) + suspended(*days, student="S2")
    everything = {**FILES, **enrolled, "suspensions": first}
    folder = folder_of(tmp_path / "set", everything)
    await imported(taken, folder, MOMENTS[0])
    assert await suspensions(taken) == await suspensions(taken, "S2") == days

    (folder / "suspensions.csv").write_text(SUSPENDED + suspended("2016-09-20", "2016-12-02"))
    plain = (await imported(taken, folder, MOMENTS[1])).kinds()
    assert await suspensions(taken) == days, "nothing without a snapshot"
    assert "taken_back" not in plain["suspensions"]

    only_one_school = enrolled["enrollments"].replace("S2,others,2016-09-01\n", "")
    (folder / "enrollments.csv").write_text(only_one_school)
    (folder / "suspensions.csv").write_text(SUSPENDED + suspended("2016-10-02", "2016-12-02"))
    report = await imported(taken, folder, MOMENTS[2], Snapshot())
    assert await suspensions(taken) == ["2016-09-20", "2016-10-02", "2016-12-02"], "two were expunged"
    assert await suspensions(taken, "S2") == days, "at a school of which the files do not speak"
    kinds = report.kinds()
    assert (kinds["suspensions"]["taken_back"], kinds["grades"]["taken_back"]) == (2, 0)
    assert "taken_back" not in kinds["enrollments"]
    history = "SELECT until FROM district.suspensions WHERE date = '2016-11-01' AND :id <> '' AND until < 'infinity'"
    assert [row.until for row in await taken.rows(history, STUDENT)] == [MOMENTS[2]]
    assert (await kept(taken))["suspensions"] == 5, "what was known before can still be asked"


async def test_a_snapshot_of_terms_takes_back_grades_and_of_students_demographics(taken: Taken, tmp_path: Path) -> None:
    await taken.apply(agreement(1, "both"))
    folder = folder_of(tmp_path / "set", FILES)
    await imported(taken, folder, MOMENTS[0])
    (folder / "programs.csv").unlink()
    (folder / "courses.csv").write_text(FILES["courses"].splitlines(keepends=True)[0])
    (folder / "grades.csv").write_text(f"student_id,course,term,grade\n{STUDENT},A7,T1,94\n")
    (folder / "students.csv").write_text("student_id,gender\nS3,Male\n")
    kinds = (await imported(taken, folder, MOMENTS[1], Snapshot())).kinds()
    assert (kinds["grades"]["taken_back"], kinds["demographics"]["taken_back"]) == (1, 1)
    assert kinds["courses"]["taken_back"] == 0, "without a row it speaks of no days"
    standing = "SELECT grade FROM district.grades WHERE until = 'infinity' AND :id <> ''"
    assert [row.grade for row in await taken.rows(standing, STUDENT)] == ["94"]


async def test_a_file_without_rows_speaks_of_the_days_of_the_attendance(taken: Taken, tmp_path: Path) -> None:
    kinds = ("attendance", *OTHER_RECORDS)
    await taken.apply(agreement(1, "both", records=kinds, effective_on=date(2016, 9, 1)))
    before = SUSPENDED + suspended("2016-11-01", "2016-12-02")
    folder = folder_of(tmp_path / "set", {**FILES, "suspensions": before}, records=";".join(kinds))
    await imported(taken, folder, MOMENTS[0])
    rows = "".join(f"{STUDENT},both,2016-12-0{day},present\n" for day in (1, 5))
    (folder / "attendance.csv").write_text(f"student_id,school_id,date,status\n{rows}")
    (folder / "suspensions.csv").write_text(SUSPENDED)
    kinds_counted = (await imported(taken, folder, MOMENTS[2], Snapshot())).kinds()
    assert (kinds_counted["suspensions"]["read"], kinds_counted["suspensions"]["taken_back"]) == (0, 1)
    assert await suspensions(taken) == ["2016-11-01"]


async def test_a_snapshot_takes_nothing_back_of_a_file_with_rejected_rows_or_a_cut_one(
    taken: Taken, tmp_path: Path
) -> None:
    await taken.apply(agreement(1, "both", effective_on=date(2016, 9, 1)))
    days = [f"2016-10-{day:02}" for day in range(1, 31)]
    folder = folder_of(tmp_path / "set", {**FILES, "suspensions": SUSPENDED + suspended(*days)})
    await imported(taken, folder, MOMENTS[0])
    ends = suspended(days[0], days[-1])
    (folder / "suspensions.csv").write_text(SUSPENDED + ends + f"{STUDENT},perhaps,1,false\n")
    report = await imported(taken, folder, MOMENTS[1], Snapshot())
    assert await suspensions(taken) == days
    assert any("Nothing was taken back of suspensions: rows were rejected." in one for one in report.all_warnings())

    (folder / "suspensions.csv").write_text(SUSPENDED + ends)
    report = await imported(taken, folder, MOMENTS[2], Snapshot(limits=Limits(0.05, 20)))
    assert (await suspensions(taken), report.refused) == (days, True)
    (folder / "suspensions.csv").write_text(SUSPENDED + suspended(days[-1], days[0]))
    report = await imported(taken, folder, MOMENTS[2], Snapshot())
    assert (await suspensions(taken), report.refused) == ([days[0], days[-1]], False)
    assert report.kinds()["suspensions"]["taken_back"] == len(days) - 2


async def test_demographics_that_a_later_row_does_not_say_stay(taken: Taken, tmp_path: Path) -> None:
    await taken.apply(agreement(1, "both"))
    await imported(taken, folder_of(tmp_path / "set", FILES))

    async def take(*rows: DemographicsRow) -> list[str]:
        return [one.status for one in await taken.intake.take_records(DEMOGRAPHICS, rows, HandIn())]

    assert await take(DemographicsRow(STUDENT), DemographicsRow(STUDENT, "Female")) == ["duplicate", "duplicate"]
    assert (
        await take(DemographicsRow(STUDENT, "X"), DemographicsRow(STUDENT, english_learner=False)) == ["accepted"] * 2
    )
    query = """
        SELECT gender, race_ethnicity, english_learner, special_education
        FROM district.demographics r JOIN ingest.students s ON s.id = r.student
        WHERE s.student_id = :id AND until = 'infinity'
    """
    assert [tuple(row) for row in await taken.rows(query, STUDENT)] == [("X", "Two or more", False, False)]
    assert (await kept(taken))["demographics"] == 2
