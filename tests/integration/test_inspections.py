"""What a parent is shown, counted down, corrected and waited for: on a real database, with the commands as they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest_asyncio
from click import Command
from click.testing import CliRunner, Result
from lxml import html
from sqlalchemy import text

from services.cli.destroy import destroy
from services.cli.inspect_ import inspect
from services.cli.inspections import inspections
from services.cli.inspections_check import judge_inspections
from services.ingest.identity.pseudonyms import Pseudonymizer, load_key
from services.ingest.inspection.opened import overdue
from services.ingest.intake import Intake
from services.ingest.rows.parse import SchoolRow, StudentRow
from services.inspection.gather import Engines, gather
from services.platform.audit.entry import AuditEntry
from services.platform.audit.log import AuditLog
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack
from services.platform.erasure.copies import append_file
from services.platform.erasure.entry import LedgerEntry
from services.platform.roles import OWNER
from tests.identity import Identity
from tests.integration.ingest_support import OwnDatabase, ingest_settings, own_database
from tests.integration.taking import Taken
from tests.integration.test_agreement import HOPE, agreement
from tests.integration.test_district import DSNI, LIVE, ROWS, STUDY, disclosure, shown, stored
from tests.integration.test_district import agreement as sharing

DAY = date(2016, 12, 7)
MARKED = date(2016, 12, 6)

SEED = """
    INSERT INTO casework.alerts (id, seq, student, school_id, level, status, raised_on, updated_at, reasons, agency)
    SELECT gen_random_uuid(), 1, pseudonym, 'hopes', 'watch', 'closed', '2016-12-06', now(), CAST(:reasons AS jsonb),
           agency
    FROM ingest.students WHERE student_id = :student;
"""
STEPS = """
    INSERT INTO casework.alert_events (event_id, alert_id, seq, type, level, changed_on, because, superseded, caused_at)
    SELECT gen_random_uuid(), a.id, 1, 'AlertRaised', 'watch', '2016-12-06', 'attendance', false, now()
    FROM casework.alerts a JOIN ingest.students s ON s.pseudonym = a.student WHERE s.student_id = :student;
"""
ACTIONS = """
    INSERT INTO casework.actions (action_id, alert_id, action, outcome, done_on)
    SELECT gen_random_uuid(), a.id, 'closed', 'not_homeless', '2016-12-07'
    FROM casework.alerts a JOIN ingest.students s ON s.pseudonym = a.student WHERE s.student_id = :student;
"""
MAILS = """
    INSERT INTO notify.outbox
        (id, event_id, alert_id, student, family, recipient, kind, level, kinds, changed_on, caused_at)
    SELECT gen_random_uuid(), gen_random_uuid(), a.id, a.student, 'family', :recipient, 'level', 'watch',
           '{absences in a row}', '2016-12-06', now()
    FROM casework.alerts a JOIN ingest.students s ON s.pseudonym = a.student WHERE s.student_id = :student;
"""


class District(NamedTuple):
    """An intake on a database of its own, and the commands on it."""

    taken: Taken
    database: OwnDatabase
    folder: Path

    async def child(self, name: str, *, recipient: str = "her@hope.example") -> tuple[str, str]:
        """A student of whom every service holds something: the district's id, and the pseudonym."""
        student, pseudonym = await self.taken.consent(HOPE)
        assert pseudonym
        await self.taken.intake.take_students([StudentRow(student, first_name=name, last_name="Planted", grade="7")])
        await self.taken.enroll(student, "hopes", date(2016, 9, 6))
        assert await self.taken.marks(student, ("hopes", MARKED)) == ["accepted"]
        reason = {"rule": "r", "kind": "k", "level": "watch", "text": f"Because of {name}.", "dates": [], "clears": "c"}
        given = {"student": student, "reasons": json.dumps([reason]), "recipient": recipient}
        for statement in (SEED, STEPS, ACTIONS, MAILS):
            await self.as_owner(statement, **{key: value for key, value in given.items() if f":{key}" in statement})
        return student, pseudonym

    async def as_owner(self, statement: str, **given: object) -> None:
        engine = make_engine(self.database.owner, service=OWNER, pool_size=1)
        async with engine.begin() as connection:
            await connection.execute(text(statement), given)
        await engine.dispose()

    async def looks(self, subject: str, *pseudonyms: str) -> None:
        log = AuditLog(self.database.of("casework"), service="casework")
        await log.record(
            AuditEntry(
                subject=subject,
                role="caseworker",
                agency=HOPE,
                action="GET /v1/alerts",
                students=dict.fromkeys(pseudonyms),
            )
        )
        await log.close()

    async def run(self, command: Command, *arguments: str) -> Result:
        environment = {"FIRSTBELL_DATABASE": self.database.owner, "FIRSTBELL_WARNING_URLS": "http://127.0.0.1:9"}
        given = [*arguments, "--data-dir", str(self.folder)]
        return await asyncio.to_thread(CliRunner().invoke, command, given, env=environment)

    async def inspect(self, student: str) -> tuple[Any, str]:
        """The document and the page's text."""
        out = self.folder / f"{uuid4().hex}.html"
        done = await self.run(inspect, student, "--out", str(out), "--json", "-")
        assert done.exit_code == 0, done.output
        page = out.read_text(encoding="utf-8")
        return json.loads(done.stdout), " ".join(" ".join(html.document_fromstring(page).itertext()).split())

    async def listed(self) -> list[Any]:
        done = await self.run(inspections, "--json")
        assert done.exit_code == 0, done.output
        found: list[Any] = json.loads(done.stdout)
        return found

    async def count(self, table: str, student: str = "") -> int:
        (row,) = await self.taken.rows(f"SELECT count(*) FROM {table} WHERE :id = :id", student)
        return int(row[0])


@pytest_asyncio.fixture(loop_scope="session")
async def district(stack: Stack, tmp_path: Path, identity: Identity) -> AsyncIterator[District]:
    async with own_database(stack, agreement=False) as database:
        settings = identity.of(ingest_settings(stack.kafka, database.of("ingest"), tmp_path))
        async with Intake.open(settings) as intake:
            await intake.set_replay_day(DAY)
            taken = Taken(intake, settings)
            await taken.apply(agreement())
            await intake.take_schools([SchoolRow("hopes", name="Hope's School")])
            yield District(taken, database, tmp_path)


async def test_everything_that_is_held_is_told_and_nothing_of_others(district: District) -> None:
    student, pseudonym = await district.child("Mine")
    other, others = await district.child("Yours", recipient="him@hope.example")
    await district.looks("maria", pseudonym, others)
    await district.looks("jo", others)
    document, page = await district.inspect(student)
    for told in (
        "Mine Planted, from the district's list of students",
        "On 6 December 2016 Hope's School said: absent, not excused",
        "Because of Mine.",
        "Somebody closed the case: the family has a home",
        "her@hope.example",
        "a caseworker of project-hope (maria)",
        "made a document such as this one",
        "The part of the system that counts did not answer",
    ):
        assert told in page
    whole = page + json.dumps(document)
    for secret in (other, others, "Yours", "him@hope.example", "(jo)"):
        assert secret not in whole
    (feed,) = document["ingest"]["feeds"]
    assert feed["has_key"]
    assert [mark["source"] for mark in feed["marks"]] == ["message"]
    assert document["windows"][pseudonym]["state"] == "away"
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in district.folder.glob("*.html"))


async def test_an_inspection_is_opened_once_and_counted_down(district: District) -> None:
    student, _ = await district.child("Mine")
    document, _ = await district.inspect(student)
    again, _ = await district.inspect(student)
    assert document["inspection"] == again["inspection"]
    number = document["inspection"]["id"]
    (listed,) = await district.listed()
    assert (listed["id"], listed["state"], listed["days_left"]) == (number, "open", 45)
    assert listed["due_on"] == (DAY + timedelta(days=45)).isoformat()
    assert student not in json.dumps(listed)
    for days, state in ((45, "open"), (46, "overdue")):
        await district.taken.intake.set_replay_day(DAY + timedelta(days=days))
        (listed,) = await district.listed()
        assert (listed["state"], listed["days_left"]) == (state, 45 - days)
    engine = make_engine(district.database.of("ingest"), service="ingest", pool_size=1)
    async with engine.connect() as connection:
        assert judge_inspections(await overdue(connection)).status == "failed"
    await engine.dispose()
    assert "OVERDUE by 1 day," in (await district.run(inspections)).stdout
    assert (await district.run(inspections, "close", str(number))).exit_code == 0
    assert (await district.listed())[0]["state"] == "closed"
    closed_twice = await district.run(inspections, "close", str(number))
    assert (closed_twice.exit_code, "closed already" in closed_twice.output) == (1, True)
    later, _ = await district.inspect(student)
    assert later["inspection"]["id"] == number + 1


async def test_of_an_unknown_student_nothing_is_guessed(district: District) -> None:
    await district.child("Mine")
    out = district.folder / "page.html"
    done = await district.run(inspect, "nobody", "--out", str(out))
    assert done.exit_code == 1
    assert "Nothing is held of a student of this id" in done.output
    assert not out.exists()
    assert await district.listed() == []
    missing = await district.run(inspections, "close", "7")
    assert (missing.exit_code, "There is no inspection 7" in missing.output) == (1, True)


async def test_what_is_inspected_is_hidden_when_destroyed_and_gone_when_it_was_shown(district: District) -> None:
    student, pseudonym = await district.child("Mine")
    await district.looks("maria", pseudonym)
    document, _ = await district.inspect(student)
    done = await district.run(destroy, "--student", student, "--yes", "--json")
    receipt = json.loads(done.stdout)
    assert (done.exit_code, receipt["state"], receipt["held"], receipt["students"]) == (0, "held", 1, 1)
    assert receipt["what"] == {}
    assert await district.taken.pseudonyms(student) == {}
    held, page = await district.inspect(student)
    assert held["inspection"] == document["inspection"]
    assert [feed["pseudonym"] for feed in held["ingest"]["feeds"]] == [pseudonym]
    assert "Mine Planted" in page
    assert "The removal waits until this inspection is closed." in page
    closed = await district.run(inspections, "close", str(held["inspection"]["id"]), "--json")
    assert json.loads(closed.stdout)["released"] == receipt["proofs"]
    assert await district.count("ingest.students") == 0
    assert await district.count("erasure.keys") == 0
    (after,) = json.loads((await district.run(destroy, "--receipts", "--json")).stdout)
    assert (after["id"], after["state"], after["what"]["ingest.students"]) == (receipt["id"], "pending", 1)
    later, page = await district.inspect(student)
    assert later["ingest"]["feeds"] == []
    assert "Nothing is held about this student any more." in page
    assert "a caseworker of project-hope (maria)" in page
    assert "The record was destroyed" in page


async def test_a_withdrawal_hides_at_once_and_waits_for_the_inspection(district: District) -> None:
    student, pseudonym = await district.child("Mine")
    document, _ = await district.inspect(student)
    assert await district.taken.revoke(student, DAY) == "accepted"
    assert await district.taken.pseudonyms(student) == {}
    assert await district.taken.marks(student, ("hopes", DAY)) == ["not_consented"]
    held, page = await district.inspect(student)
    assert [feed["pseudonym"] for feed in held["ingest"]["feeds"]] == [pseudonym]
    assert "Nobody is shown anything any more." in page
    assert await district.count("erasure.awaited") == 0
    await district.taken.intake.sweep()
    assert await district.count("ingest.students") == 1
    closed = await district.run(inspections, "close", str(document["inspection"]["id"]), "--json")
    assert len(json.loads(closed.stdout)["released"]) == 1
    assert await district.count("ingest.students") == 0
    assert await district.count("erasure.awaited") == 4


async def test_a_statement_is_kept_beside_the_record_and_goes_with_it(district: District) -> None:
    student, pseudonym = await district.child("Mine")
    said = "She was at the doctor's."
    done = await district.run(inspections, "correct", student, "--statement", said, "--about", "2016-12-06", "--json")
    number = json.loads(done.stdout)["number"]
    engine = make_engine(district.database.of("casework"), service="casework", pool_size=1)

    async def told() -> list[tuple[str, str, str | None]]:
        async with engine.connect() as connection:
            query = text("SELECT pseudonym, statement, decision FROM ingest.statements")
            return [tuple(row) for row in await connection.execute(query)]

    assert await told() == [(pseudonym, said, None)]
    assert (await district.run(inspections, "decide", str(number), "--amended", "--note", "So it was.")).exit_code == 0
    assert await told() == [(pseudonym, said, "amended")]
    document, page = await district.inspect(student)
    assert document["ingest"]["feeds"][0]["statements"][0]["note"] == "So it was."
    assert "The record was corrected, on 7 December 2016: So it was." in page
    await district.run(destroy, "--student", student, "--yes")
    assert await told() == []
    await engine.dispose()
    await district.run(inspections, "close", str(document["inspection"]["id"]))
    (receipt,) = json.loads((await district.run(destroy, "--receipts", "--json")).stdout)
    assert receipt["what"]["ingest.corrections"] == 1
    gone = await district.run(inspections, "decide", str(number), "--refused")
    assert (gone.exit_code, "gone with the record" in gone.output) == (1, True)
    nobody = await district.run(inspections, "correct", student, "--statement", said)
    assert (nobody.exit_code, "Nothing is kept" in nobody.output) == (1, True)


async def test_what_a_new_agreement_does_not_share_stays_while_it_is_inspected(district: District) -> None:
    taken = district.taken
    await taken.apply(sharing(2, LIVE, ROWS))
    mine, other = [(await taken.consent(DSNI, purpose=STUDY))[0] for _ in range(2)]
    for student in (mine, other):
        await taken.enroll(student, "dsnis", date(2016, 9, 6))
        assert await taken.marks(student, ("dsnis", MARKED)) == ["accepted"]
    document, page = await district.inspect(mine)
    assert f"Attendance is kept for {DSNI} in the district's database, for the purpose {STUDY}." in page
    await taken.apply(sharing(3, LIVE, disclosure(DSNI, STUDY, "student", "both")))
    assert [one.school_id for one in await stored(taken, mine)] == ["dsnis"]
    assert await shown(taken, mine) == []
    assert await stored(taken, other) == []
    assert (await district.run(inspections, "close", str(document["inspection"]["id"]))).exit_code == 0
    assert await stored(taken, mine) == []


async def test_a_window_is_told_as_its_worker_gives_it(district: District) -> None:
    student, pseudonym = await district.child("Mine")
    urls = {service: district.database.of(service) for service in Engines._fields}
    engines = Engines(**{service: make_engine(url, service=service, pool_size=1) for service, url in urls.items()})
    answers = {pseudonym: httpx.Response(200, json={"absent_days": 1})}

    def worker(request: httpx.Request) -> httpx.Response:
        return answers.get(request.url.path.split("/")[3], httpx.Response(404))

    digest = Pseudonymizer(load_key(district.taken.settings.key_file)).digest(student)
    async with httpx.AsyncClient(transport=httpx.MockTransport(worker)) as client:
        found = await gather(engines, client, ["http://worker"], student, digest)
        assert found is not None
        assert found.windows[pseudonym].document == {"absent_days": 1}
        answers.clear()
        found = await gather(engines, client, ["http://worker"], student, digest)
        assert found is not None
        assert found.windows[pseudonym].state == "none"
        assert await gather(engines, client, ["http://worker"], "nobody", b"") is None
    for engine in engines:
        await engine.dispose()


async def test_a_restored_database_shows_nothing_of_who_was_erased_since_also_while_nothing_runs(
    district: District,
) -> None:
    student, pseudonym = await district.child("Mine")
    entry = LedgerEntry.model_validate(
        {
            "id": uuid4(),
            "student": "AA==",
            "agreement": "DSA",
            "recipient": HOPE,
            "pseudonym": pseudonym,
            "slot": 1,
            "because": "withdrawn",
            "ended_on": DAY,
            "at": datetime(2016, 12, 7, tzinfo=UTC),
            "by": "district",
        }
    )
    append_file(district.taken.settings.ledger_file, [entry])
    page = district.folder / "page.html"
    for command, *arguments in ((inspect, student, "--out", str(page)), (destroy, "--student", student, "--yes")):
        refused = await district.run(command, *arguments)
        assert (refused.exit_code, "lacks 1 erasures" in refused.output) == (1, True), refused.output
    assert (page.exists(), await district.listed()) == (False, [])
    await district.taken.intake.start()
    assert await district.taken.pseudonyms(student) == {}
    assert (await district.run(destroy, "--student", student, "--yes")).exit_code == 1, "nothing is kept"
