"""Names and raw ids are planted everywhere they can come in, and searched for everywhere something is kept."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import psycopg

from tests.e2e.districts import CONSENT, WEEK, write_csv
from tests.e2e.snapshots import every_alert
from tests.e2e.system import Json, System, eventually, firstbell


class Person(NamedTuple):
    """What is known of a student, each value found nowhere else."""

    student_id: str
    first_name: str
    last_name: str
    guardian: str
    household_id: str

    @classmethod
    def new(cls) -> Person:
        return cls(*(f"{kind}q{uuid4().hex[:10]}" for kind in ("Id", "Zebulon", "Quixote", "Wrenna", "House")))

    @property
    def student(self) -> dict[str, str]:
        born = {"birth_date": "2006-05-01", "grade": "5", "household_id": self.household_id}
        return {"student_id": self.student_id, "first_name": self.first_name, "last_name": self.last_name, **born}

    def consent(self, recipients: str) -> dict[str, str]:
        return {**CONSENT, "student_id": self.student_id, "signed_by": self.guardian, "recipients": recipients}


def export_of(people: Iterable[tuple[Person, str]], school: str, folder: Path) -> Path:
    """A folder in which each was absent from Monday to Wednesday, with rows that must be rejected."""
    known = list(people)
    persons = [person for person, _ in known]
    span = {"school_id": school, "entry_date": "2016-09-08"}
    write_csv(folder, "students.csv", [person.student for person in persons])
    write_csv(folder, "consents.csv", [person.consent(recipients) for person, recipients in known])
    write_csv(folder, "enrollments.csv", [{"student_id": person.student_id, **span} for person in persons])
    write_csv(folder, "calendar.csv", [{"school_id": school, "date": day, "instructional": "true"} for day in WEEK])
    rows = []
    for person in persons:
        mark = {"student_id": person.student_id, "school_id": school, "status": "absent", "reason": person.last_name}
        rows += [{**mark, "date": day} for day in WEEK[:3]]
        rows += [{**mark, "date": person.last_name}, {**mark, "date": WEEK[3], "status": person.first_name}]
    write_csv(folder, "attendance.csv", rows)
    return folder


def post_all(ingest: httpx.Client, person: Person, school: str) -> list[httpx.Response]:
    """The same person by HTTP, in good entries and bad ones."""
    mark: Json = {"student_id": person.student_id, "school_id": school, "status": "absent", "reason": person.guardian}
    consent = {**person.consent("project-hope"), "signed_on": person.guardian}
    enrollment = {"student_id": person.student_id, "school_id": school, "entry_date": person.last_name}
    return [
        ingest.post("/v1/attendance", json=[{**mark, "date": day} for day in WEEK[3:]]),
        ingest.post("/v1/attendance", json=[{**mark, "date": person.first_name}, person.last_name, {"x": person}]),
        ingest.post("/v1/consents", json=consent),
        ingest.post("/v1/enrollments", json=[enrollment, {**enrollment, "household_id": person.household_id * 9}]),
        ingest.post("/v1/attendance", content=f'{{"student_id": "{person.student_id}", '),
    ]


def files_with(values: Iterable[str], files: Iterable[Path]) -> list[str]:
    """Which value is in which file."""
    found = []
    wanted = [value.encode() for value in values]
    for path in files:
        if path.stat().st_size == 0:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found += [f"{value.decode()} in {path}" for value in wanted if content.find(value) >= 0]
    return found


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def database_text(system: System) -> str:
    """Every row of every table of ours, as text."""
    tables = system.rows(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    assert len(tables) > 8
    return "\n".join(row[0] for (name,) in tables for row in system.rows(f"SELECT t::text FROM {name} t"))


def test_no_name_and_no_raw_id_leaves_the_database_and_without_consent_none_is_kept(
    system: System, ingest: httpx.Client, casework: httpx.Client, tmp_path: Path
) -> None:
    shared, unshared, school = Person.new(), Person.new(), f"school-{uuid4().hex[:8]}"
    people = ((shared, "dsni;project-hope"), (unshared, "dsni"))
    imported = firstbell("import", export_of(people, school, tmp_path / "e"), "--data-dir", system.data_dir)
    answers = [answer for person in (shared, unshared) for answer in post_all(ingest, person, school)]

    alert = eventually(lambda: every_alert(casework, school=school, level="elevated"), "an alert")[0]
    pseudonym = alert["student"]
    subject = str(alert["case_number"]).encode()
    mails = system.data_dir / "mail"
    eventually(lambda: any(subject in mail.read_bytes() for mail in mails.glob("*.eml")), "its mail")
    eventually(system.level, "every group is level")
    urls = [f"/v1/students/{shared.student_id}/window", f"/v1/alerts?student={shared.student_id}"]
    answers += [casework.get(url) for url in urls]
    metrics = [httpx.get(f"{s['url']}/metrics").text for s in system.where["services"].values() if s["url"]]

    secrets = (*shared, *unshared)
    said = "\n".join([imported.stdout, imported.stderr, system.said, *metrics, *(answer.text for answer in answers)])
    assert [value for value in secrets if value in said] == []
    everywhere = [path for path in files_below(system.data_dir) if system.data_dir / "postgres" not in path.parents]
    assert files_with([pseudonym], everywhere), "the search finds what is there"
    assert files_with(secrets, everywhere) == []

    kept = database_text(system)
    assert all(value in kept for value in (pseudonym, *shared[:4]))
    assert [value for value in unshared if value in kept] == []
    assert files_with(unshared, files_below(system.data_dir / "postgres")) == []


def test_each_service_uses_a_role_of_its_own_and_the_reader_sees_nothing_unasked(system: System) -> None:
    services = ("ingest", "casework", "notify")
    roles = [f"firstbell_{service}" for service in services]
    asked = "SELECT DISTINCT usename FROM pg_stat_activity WHERE usename = ANY (%s)"
    eventually(lambda: {row[0] for row in system.rows(asked, roles)} == set(roles), "a connection of each role")
    name = "format('%%I.%%I', schemaname, tablename)"
    readable = f"has_table_privilege('firstbell_app', {name}, 'SELECT')"
    tables = system.rows(f"SELECT {name} FROM pg_tables WHERE rowsecurity = %s AND {readable}", True)
    assert ("erasure.keys",) not in tables
    assert system.where["database_app"] != system.where["database"]
    with psycopg.connect(system.where["database_app"].replace("+psycopg", "")) as connection:
        rows = [connection.execute(f"SELECT FROM {table} LIMIT 1").fetchone() for (table,) in tables]
    assert rows == [None] * len(tables)
    assert len(tables) > 12
    kept = system.data_dir / "secrets"
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o600}
