"""`firstbell pull` as it is run: killed at any moment while the source changes, it ends equal to the source."""

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from models.attendance import EXCUSED, RETRACTED, TARDY, UNEXCUSED
from services.ingest.agreement.folder import AGENCY, PURPOSE
from services.platform.sharing import OTHER_RECORDS
from services.platform.supervisor import inherited_environment
from tests.e2e.system import FIRSTBELL, System, eventually, firstbell
from tests.ods.app import CLIENT_ID, CLIENT_SECRET, Ods
from tests.ods.district import NAME, fill, student_id
from tests.ods.office import EVENTS, Office
from tests.ods.server import listening
from tests.ods.weather import Cut, Expire, Fail, Throttle

STUDENTS = 24
KILLS = 10
CODES = {"Unexcused Absence": UNEXCUSED, "Excused Absence": EXCUSED, "Tardy": TARDY}
COUNTS = {"read", "upserted", "deleted", "key_changed", "rejected", "change_version"}
LIVE = "kept_for = '' AND student_id LIKE 'STU%%'"


def test_a_pull_that_is_killed_ten_times_ends_equal_to_its_source(system: System, tmp_path: Path) -> None:
    consented = [student_id(number) for number in range(0, STUDENTS, 2)]
    firstbell("import", _consents(tmp_path, consented), "--data-dir", system.data_dir)
    ods = Ods()
    fill(ods.state, STUDENTS, begin_year=2026)
    ods.weather.between = Office(4, STUDENTS, date(2026, 8, 24), most=120)
    ods.weather.plan(EVENTS, Throttle(1), Fail(503), Cut(), Expire())
    ods.forbidden.add("studentAssessments")
    chance = Random(4)
    with listening(ods) as url:
        arguments = ["pull", "--url", url, "--client", str(_client(tmp_path)), "--data-dir", str(system.data_dir)]
        for _ in range(KILLS):
            _kill_soon(ods, [*arguments, "--once"], chance.randrange(2, 30))
        document = _until_level(ods, arguments)
        assert set(document) == {"resources", "seconds"}
        assert all(set(counts) == COUNTS for counts in document["resources"].values())
        assert document["resources"]["studentAssessments"]["change_version"] == 0

        marks = _marks(system)
        assert marks == _said(ods, consented)
        assert _grades(system) == {
            (row.body["studentSectionAssociationReference"]["studentUniqueId"], row.body["numericGradeEarned"])
            for row in ods.state.standing("grades")
            if row.body["studentSectionAssociationReference"]["studentUniqueId"] in consented
        }
        kept = _kept(system)
        assert kept["courses"] == kept["demographics"] == len(consented)
        assert "assessments" not in kept
        told = firstbell(*arguments, "--once", "--anew")
        assert "studentAssessments: the client has no right to it (403)" in told.stdout + told.stderr
        assert (_marks(system), _kept(system)) == (marks, kept)
    said = told.stdout + told.stderr + "".join(path.read_text() for path in (system.data_dir / "logs").glob("*.log"))
    assert [word for word in (NAME, "STU0", CLIENT_SECRET) if word in said] == []


def _consents(folder: Path, students: list[str]) -> Path:
    path = folder / "consents.csv"
    kinds = ";".join(["attendance", *OTHER_RECORDS])
    lines = [f"{one},DSA,A Guardian,parent,2026-08-01,paper,{kinds},{PURPOSE},{AGENCY}\n" for one in students]
    header = "student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients\n"
    path.write_text(header + "".join(lines))
    return path


def _client(folder: Path) -> Path:
    path = folder / "client.toml"
    path.write_text(f'client_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\n')
    path.chmod(0o600)
    return path


def _kill_soon(ods: Ods, arguments: list[str], answers: int) -> None:
    """SIGKILL to a pull after the API has been asked so often, if it is not at its end before."""
    before = len(ods.asked)
    process = subprocess.Popen([FIRSTBELL, *arguments], env=inherited_environment(), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    eventually(lambda: len(ods.asked) - before >= answers or process.poll() is not None, "the pull asks")
    process.kill()
    assert process.wait() in (0, -9)


def _until_level(ods: Ods, arguments: list[str]) -> dict[str, Any]:
    """Rounds until one has found what stands at the end; its report."""
    assert ods.weather.between is not None
    while True:
        document: dict[str, Any] = json.loads(firstbell(*arguments, "--once", "--json", "-").stdout)
        done = {counts["change_version"] for counts in document["resources"].values()} - {0}
        if done == {ods.state.version}:
            return document


def _marks(system: System) -> set[tuple[object, ...]]:
    rows = system.rows(f"""
        SELECT DISTINCT ON (student, date, school_id, section) student_id, date, code
        FROM ingest.taken JOIN ingest.students s ON s.id = student WHERE {LIVE}
        ORDER BY student, date, school_id, section, moment DESC, code DESC
    """)
    return {row for row in rows if row[2] != RETRACTED}


def _said(ods: Ods, consented: list[str]) -> set[tuple[object, ...]]:
    """Of several events of a student's day the one that was changed last stands."""
    last: dict[tuple[str, date], tuple[int, int]] = {}
    for row in ods.state.standing(EVENTS):
        student, day = row.body["studentReference"]["studentUniqueId"], date.fromisoformat(row.body["eventDate"])
        if student in consented:
            last[student, day] = max(last.get((student, day), (0, 0)), (row.version, _code(row.body)))
    return {(*key, code) for key, (_, code) in last.items()}


def _code(body: dict[str, Any]) -> int:
    return CODES[body["attendanceEventCategoryDescriptor"].partition("#")[2]]


def _grades(system: System) -> set[tuple[object, ...]]:
    return {
        (student, float(grade))
        for student, grade in system.rows("""
            SELECT student_id, g.grade FROM district.grades g JOIN ingest.students s ON s.id = g.student
            WHERE until = 'infinity' AND student_id LIKE 'STU%%'
        """)
    }


def _kept(system: System) -> dict[str, int]:
    found = {}
    for table in ("demographics", "programs", "courses", "grades", "assessments", "suspensions", "graduations"):
        ((number,),) = system.rows(f"""
            SELECT count(*) FROM district.{table} r JOIN ingest.students s ON s.id = r.student
            WHERE until = 'infinity' AND student_id LIKE 'STU%%'
        """)
        if number:
            found[table] = number
    return found
