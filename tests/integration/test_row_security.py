"""Row-level security, the database asked directly: who sees nothing, who sees what, and who can change it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from datetime import date
from typing import Final
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from alembic import command
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.casework.intake.record import keep
from services.platform.database import caller_context, make_engine, make_sessions
from services.platform.embedded.endpoints import Stack
from services.platform.embedded.postgres_binaries import find_programs
from services.platform.roles import (
    READER,
    RolesError,
    as_role,
    check_role,
    make_missing_roles,
    require_membership,
    role_of,
)
from services.platform.schema import migrate, migration_config
from services.platform.service import ServiceSpec, with_schema
from services.registry import SERVICES
from tests.alert_events import event
from tests.integration.ingest_support import OwnDatabase, own_database

SCHEMAS: Final = [service.name for service in with_schema(SERVICES)]
OF_INGEST: Final = ("ingest", "district", "audit", "erasure")
ALL_SCHEMAS: Final = (*SCHEMAS, "district", "audit", "erasure")
BEFORE: Final = {"ingest": "ingest_0007", "casework": "casework_0004", "notify": "notify_0002"}

SEED: Final = """
    INSERT INTO ingest.schools (school_id) VALUES ('burke-high'), ('winthrop');
    INSERT INTO ingest.disclosures
    SELECT applied, one, 'program-evaluation', 'student', 'attendance', 'burke-high'
    FROM ingest.agreements, unnest(ARRAY['dsni', 'project-hope']) AS one;
    INSERT INTO ingest.students
        (pseudonym, student_id, slot, first_name, consent_from, consent_through, agency, kept_for)
    VALUES ('in-force', 'D-1', 1, 'Planted', '2016-09-01', NULL, 'project-hope', ''),
           ('ended', 'D-2', 1, 'Planted', '2016-09-01', '2016-10-01', 'project-hope', ''),
           ('kept', 'D-1', 1, NULL, '2016-09-01', NULL, 'dsni', 'program-evaluation'),
           ('kept-too', 'D-1', 1, NULL, '2016-09-01', NULL, 'project-hope', 'program-evaluation'),
           ('kept-before', 'D-2', 1, NULL, '2016-09-01', '2016-10-01', 'dsni', 'program-evaluation');
    INSERT INTO ingest.consents (student, agreement_id, signed_on, records, recipients)
    SELECT id, 'boston-2016', '2016-09-01', '{attendance}', '{project-hope}' FROM ingest.students;
    INSERT INTO district.attendance (student, date, school_id, section, recipient, purpose, status, gravity)
    SELECT id, '2016-09-12', school, '', agency, kept_for, 'present', 2
    FROM ingest.students, unnest(ARRAY['burke-high', 'winthrop']) AS school
    WHERE kept_for <> '';
    INSERT INTO ingest.enrollments (student, school_id, entry_date)
    SELECT id, 'burke-high', '2016-09-01' FROM ingest.students;
    INSERT INTO ingest.taken (student, date, digest, section, taken, by_import, school_id)
    SELECT id, '2016-09-12', 1, '', 1, true, 'burke-high' FROM ingest.students;
    INSERT INTO ingest.taken_events (digest, student) SELECT decode('00', 'hex'), min(id) FROM ingest.students;
    INSERT INTO ingest.school_days (school_id, date) VALUES ('burke-high', '2016-09-12');
    INSERT INTO ingest.enrolled_changes VALUES ('burke-high', '2016-09-01', 2);
    INSERT INTO ingest.calendar_days (school_id, calendar, date, instructional)
    VALUES ('winthrop', 'a', '2016-09-12', true);
    INSERT INTO casework.alerts (id, seq, student, school_id, level, status, raised_on, updated_at, reasons, agency)
    SELECT gen_random_uuid(), 1, student, school, 'watch', 'open', '2016-12-01', now(), '[]', 'project-hope'
    FROM (VALUES ('in-force', 'burke-high'), ('other', 'winthrop')) AS a (student, school);
    INSERT INTO casework.alert_events (event_id, alert_id, seq, type, level, changed_on, because, superseded, caused_at)
    SELECT gen_random_uuid(), id, 1, 'AlertRaised', 'watch', '2016-12-01', 'marks', false, now() FROM casework.alerts;
    INSERT INTO casework.actions (action_id, alert_id, action, done_on)
    SELECT gen_random_uuid(), id, 'taken', '2016-12-02' FROM casework.alerts;
    INSERT INTO casework.cases (id, agency, family, school_id, level, state, opened_on, waiting_since)
    SELECT id, agency, student, school_id, level, 'new', raised_on, now() FROM casework.alerts;
    UPDATE casework.alerts SET case_id = id;
    INSERT INTO casework.case_actions (id, case_id, action, done_on, given)
    SELECT gen_random_uuid(), id, 'take', '2016-12-02', '{"note": "Planted"}' FROM casework.cases;
    INSERT INTO casework.changes (case_id, kind, agency, schools) SELECT id, 'new', agency, '{}' FROM casework.cases;
    INSERT INTO notify.alerts
    VALUES (gen_random_uuid(), 1, 'in-force', 'in-force', 'team', 'watch', '{}', '2016-12-01', true);
    INSERT INTO notify.told SELECT family, team, level, alert_id FROM notify.alerts;
    INSERT INTO notify.outbox
        (id, event_id, alert_id, student, family, recipient, kind, level, kinds, changed_on, caused_at)
    SELECT gen_random_uuid(), gen_random_uuid(), alert_id, student, family, 'her@agency.example', 'level', 'watch',
           '{}', '2016-12-01', now()
    FROM notify.alerts;
    INSERT INTO audit.entries (subject, role, agency, action, students, consents, outcome)
    VALUES ('her', 'caseworker', 'project-hope', 'mail', '{in-force}', '{2016-09-01}', 'allowed');
    INSERT INTO district.demographics (student, gender, said_at, run) SELECT id, 'x', now(), 1 FROM ingest.students;
    INSERT INTO district.programs (student, program, entry_date, said_at, run)
    SELECT id, 'x', '2016-09-01', now(), 1 FROM ingest.students;
    INSERT INTO district.eligibility (student, program, from_date, said_at, run)
    SELECT id, 'x', '2016-09-01', now(), 1 FROM ingest.students;
    INSERT INTO district.courses (student, course, term, said_at, run)
    SELECT id, 'x', 'T1', now(), 1 FROM ingest.students;
    INSERT INTO district.grades (student, course, term, grade, said_at, run)
    SELECT id, 'x', 'T1', 'A', now(), 1 FROM ingest.students;
    INSERT INTO district.assessments (student, assessment, date, said_at, run)
    SELECT id, 'x', '2016-09-01', now(), 1 FROM ingest.students;
    INSERT INTO district.suspensions (student, date, action, said_at, run)
    SELECT id, '2016-09-01', '', now(), 1 FROM ingest.students;
    INSERT INTO district.graduations (student, cohort_year, said_at, run)
    SELECT id, 2022, now(), 1 FROM ingest.students;
    INSERT INTO ingest.inspections (student, pseudonyms, opened_on, due_on, opened_by)
    VALUES ('\\x00', '{in-force}', '2016-12-01', '2017-01-15', 'her');
    INSERT INTO ingest.corrections (student, number, statement, asked_on)
    SELECT id, 1, 'Planted', '2016-12-01' FROM ingest.students WHERE pseudonym IN ('in-force', 'ended');
    INSERT INTO erasure.keys (pseudonym, recipient, master, wrapped) VALUES ('in-force', 'project-hope', 'm', '\\x00');
    INSERT INTO erasure.ledger
        (id, student, agreement, recipient, kept_for, pseudonym, because, ended_on, at, by, gone)
    VALUES (gen_random_uuid(), '\\x00', 'boston-2016', 'project-hope', '', 'gone', 'withdrawn', '2016-12-01', now(),
            'district', 1);
    INSERT INTO erasure.awaited SELECT 'notify', id FROM erasure.ledger;
    INSERT INTO erasure.confirmations (id, service, removed) SELECT id, 'ingest', '{}' FROM erasure.ledger;
"""

OF_ERASURE: Final = {"erasure.keys", "erasure.ledger", "erasure.awaited", "erasure.confirmations"}
READ_BY_ALL: Final = {"ingest.disclosures", "audit.entries", *OF_ERASURE}
"""By every service, under its policies: who gets what, to whom students were shown, and who was erased."""
CONFIRMED_BY_ALL: Final = "erasure.awaited"
"""Each service takes out what is awaited of itself."""
KEYS: Final = "erasure.keys"
"""The reader has none."""
READ_TOO: Final = {("casework", "ingest.corrections")}
"""Of those whom it may show."""

OF_PEOPLE: Final = text("""
    SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind = 'v' AS is_view,
           c.relrowsecurity AND c.relforcerowsecurity
               AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS is_protected,
           coalesce('security_invoker=true' = ANY (c.reloptions), false) AS as_invoker
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND EXISTS (
          SELECT FROM pg_attribute a
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attname ~ '^(agency|agencies|family|pseudonym)$|^(school|student|household|recipient)')
    ORDER BY 1
""")
"""Tables and views with a column that says whose a row is; whatever schema a later one is in."""

ALL_VIEWS: Final = text("""
    SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = ANY (:schemas)
""")
PROTECTED: Final = text("""
    SELECT format('%I.%I', n.nspname, c.relname), n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity AND c.relkind = 'r' ORDER BY 1
""")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(stack: Stack) -> AsyncIterator[OwnDatabase]:
    """A row in every table that has some of people."""
    async with own_database(stack) as database:
        owner = make_engine(database.owner)
        async with owner.begin() as connection:
            await connection.execute(text(SEED))
        await owner.dispose()
        yield database


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(database: OwnDatabase) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.owner)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def protected(owner: AsyncEngine) -> list[tuple[str, str]]:
    """Every protected table, and its schema."""
    async with owner.connect() as connection:
        found = [(table, schema) for table, schema in (await connection.execute(PROTECTED)).all()]
    assert len(found) >= 15
    return found


def owner_of(schema: str) -> str:
    """Whose service's the schema is."""
    return "ingest" if schema in OF_INGEST else schema


async def number(connection: AsyncConnection, table: str) -> int:
    return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def say(connection: AsyncConnection, **settings: str) -> None:
    """Say in this transaction who asks, as anyone who has a role's password can."""
    for name, value in settings.items():
        await connection.execute(
            text("SELECT set_config(:name, :value, true)"), {"name": f"firstbell.{name}", "value": value}
        )


@pytest.mark.parametrize("who", [*SCHEMAS, READER])
async def test_a_role_that_does_not_say_who_asks_sees_nothing(
    database: OwnDatabase, protected: list[tuple[str, str]], who: str
) -> None:
    engine = make_engine(database.of(who))
    async with engine.connect() as connection:
        for table, schema in protected:
            if who == owner_of(schema) or (who == READER and table != KEYS):
                assert await number(connection, table) == 0, table
    await engine.dispose()


@pytest.mark.parametrize("who", [*SCHEMAS, READER])
async def test_with_its_context_a_service_sees_its_own_and_the_reader_all(
    database: OwnDatabase, protected: list[tuple[str, str]], who: str
) -> None:
    engine = make_engine(database.of(who), service=who)
    async with engine.connect() as connection:
        for table, schema in protected:
            if who == owner_of(schema) or (who == READER and table != KEYS):
                assert await number(connection, table) > 0, table
        assert await check_role(connection, who) is None
    await engine.dispose()


@pytest.mark.parametrize("who", SCHEMAS)
async def test_a_service_may_not_touch_the_tables_of_another(
    database: OwnDatabase, protected: list[tuple[str, str]], who: str
) -> None:
    for table, schema in protected:
        if owner_of(schema) == who:
            continue
        engine = make_engine(database.of(who), service=owner_of(schema))  # also when it says that it is the other
        reading = [] if table in READ_BY_ALL or (who, table) in READ_TOO else [f"SELECT * FROM {table}"]
        deleting = [] if table == CONFIRMED_BY_ALL else [f"DELETE FROM {table}"]
        for statement in (*reading, *deleting):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with engine.begin() as connection:
                    await connection.execute(text(statement))
        await engine.dispose()


async def test_the_reader_changes_nothing(database: OwnDatabase, protected: list[tuple[str, str]]) -> None:
    engine = make_engine(database.of(READER), service=READER)
    for table, _ in protected:
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with engine.begin() as connection:
                await connection.execute(text(f"DELETE FROM {table}"))
    await engine.dispose()


@pytest.mark.parametrize("who", ["casework", "notify"])
async def test_others_see_of_ingest_what_the_consent_view_shows(database: OwnDatabase, who: str) -> None:
    engine = make_engine(database.of(who), service=who)
    async with engine.connect() as connection:
        assert list(await connection.scalars(text("SELECT pseudonym FROM ingest.consented_students"))) == ["in-force"]
        assert list(await connection.scalars(text("SELECT pseudonym FROM ingest.students"))) == ["in-force"]
        await say(connection, service="ingest")  # another's context opens nothing
        assert list(await connection.scalars(text("SELECT pseudonym FROM ingest.students"))) == []
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with engine.connect() as connection:
            await connection.execute(text("SELECT adult_on FROM ingest.students"))
    await engine.dispose()


async def test_the_reader_sees_students_whose_consent_is_in_force_and_figures(database: OwnDatabase) -> None:
    engine = make_engine(database.of(READER), service=READER)
    async with engine.connect() as connection:
        students = set(await connection.scalars(text("SELECT pseudonym FROM ingest.students")))
        assert students == {"in-force", "kept", "kept-too"}
        assert await connection.scalar(text("SELECT marks FROM ingest.figures")) == 5
        assert await number(connection, "casework.nameless_alerts") == 2
        assert await number(connection, "casework.stored_events") == 2
        assert await number(connection, "notify.mails") == 1
        await say(connection, schools="\x1fwinthrop")
        assert list(await connection.scalars(text("SELECT pseudonym FROM ingest.students"))) == []
        assert await number(connection, "ingest.taken") == 0
        assert await number(connection, "notify.outbox") == 0
    await engine.dispose()


async def test_of_what_is_kept_each_reads_what_is_disclosed_to_them_now(database: OwnDatabase) -> None:
    query = text("SELECT recipient, school_id FROM district.attendance ORDER BY 1")
    ours, reader = (make_engine(database.of(who), service=who) for who in ("ingest", READER))
    async with ours.connect() as connection:
        assert len((await connection.execute(query)).all()) == 6  # of two schools, and of an ended consent
        disclosed = await connection.execute(text("SELECT pseudonym, form FROM district.disclosed ORDER BY 1"))
        assert disclosed.all() == [("kept", "student"), ("kept-too", "student")]
    async with reader.connect() as connection:
        assert (await connection.execute(query)).all() == [("dsni", "burke-high"), ("project-hope", "burke-high")]
        await say(connection, agency="dsni")
        assert (await connection.execute(query)).all() == [("dsni", "burke-high")]
        assert await number(connection, "district.disclosed") == 1
        await say(connection, schools="\x1fwinthrop")
        assert (await connection.execute(query)).all() == []
        await say(connection, agency="", schools="", role="operator")
        assert (await connection.execute(query)).all() == []
    for engine in (ours, reader):
        await engine.dispose()


NOBODYS: Final = {
    "ingest": "INSERT INTO ingest.enrolled_changes VALUES ('mission-hill', '2016-09-01', 1)",
    "casework": (
        "INSERT INTO casework.alert_events VALUES "
        "(gen_random_uuid(), gen_random_uuid(), 1, 'AlertRaised', 'watch', NULL, '2016-12-01', 'marks', false, now())"
    ),
    "notify": "INSERT INTO notify.told VALUES ('family', 'team', 'watch', gen_random_uuid())",
}


@pytest.mark.parametrize("who", SCHEMAS)
async def test_a_write_without_context_fails(database: OwnDatabase, who: str) -> None:
    engine = make_engine(database.of(who))
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with engine.begin() as connection:
            await connection.execute(text(NOBODYS[who]))
    await engine.dispose()


@pytest.mark.parametrize("end", ["commit", "rollback", "error", "cancellation"])
async def test_a_connection_that_was_used_before_gives_nothing(database: OwnDatabase, end: str) -> None:
    engine = make_engine(database.of("casework"), service="casework", pool_size=1)
    with caller_context("caseworker", agency="project-hope", schools=["burke-high"]):
        before = await _use(engine, end)
    async with engine.connect() as connection:
        # By the driver itself, so that no transaction is begun for us.
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        cursor = await driver.execute("SELECT pg_backend_pid(), (SELECT count(*) FROM casework.alerts)")
        assert await cursor.fetchone() == (before if end != "cancellation" else driver.info.backend_pid, 0)
        cursor = await driver.execute(
            "SELECT * FROM unnest(ARRAY['service', 'role', 'agency', 'schools']) AS name "
            "WHERE coalesce(current_setting('firstbell.' || name, true), '') <> ''"
        )
        assert await cursor.fetchall() == []
    async with engine.connect() as connection:
        assert await number(connection, "casework.alerts") == 2  # a new transaction is the service's own again
    await engine.dispose()


async def _use(engine: AsyncEngine, end: str) -> int:
    async def use() -> int:
        async with engine.connect() as connection:
            process: int = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            assert await number(connection, "casework.alerts") == 1
            if end == "commit":
                await connection.commit()
            elif end == "error":
                with pytest.raises(DBAPIError, match="division by zero"):
                    await connection.execute(text("SELECT 1 / 0"))
            elif end == "cancellation":
                began.set()
                await connection.execute(text("SELECT pg_sleep(60)"))
            return process

    began = asyncio.Event()
    task = asyncio.create_task(use())
    if end == "cancellation":
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return 0
    return await task


async def test_a_caller_sees_the_alerts_of_their_schools_and_what_belongs_to_them(database: OwnDatabase) -> None:
    engine = make_engine(database.of("casework"), service="casework")

    async def seen() -> list[int]:
        async with engine.connect() as connection:
            return [await number(connection, f"casework.{table}") for table in ("alerts", "alert_events", "actions")]

    assert await seen() == [2, 2, 2]
    with caller_context("caseworker", agency="project-hope", schools=["burke-high"]):
        assert await asyncio.create_task(seen()) == [1, 1, 1]
        with caller_context("caseworker", schools=["burke-high", "winthrop"]):
            assert await seen() == [2, 2, 2]
        with caller_context("caseworker", schools=["O'Hara \\ % 100", "win"]):
            assert await seen() == [0, 0, 0]
        with caller_context("caseworker", agency="another", schools=["burke-high"]):
            assert await seen() == [0, 0, 0]
        with caller_context("caseworker", schools=[]):
            assert await seen() == [0, 0, 0]
        with caller_context("operator"):
            assert await seen() == [0, 0, 0]
        assert await seen() == [1, 1, 1]
    assert await seen() == [2, 2, 2]
    await engine.dispose()


async def test_a_caller_changes_nothing_at_other_schools(database: OwnDatabase, owner: AsyncEngine) -> None:
    engine = make_engine(database.of("casework"), service="casework")
    async with owner.connect() as connection:
        ids = {
            row.school_id: row.id for row in await connection.execute(text("SELECT school_id, id FROM casework.alerts"))
        }
    act = text(
        "INSERT INTO casework.actions (action_id, alert_id, action, done_on) VALUES (:id, :alert, 'taken', :day)"
    )

    async def acts_on(alert: UUID) -> None:
        async with engine.connect() as connection:  # and is rolled back
            await connection.execute(act, {"id": uuid4(), "alert": alert, "day": date(2016, 12, 5)})

    with caller_context("caseworker", schools=["burke-high"]):
        await acts_on(ids["burke-high"])
        with pytest.raises(ProgrammingError, match="row-level security"):
            await acts_on(ids["winthrop"])
        async with engine.connect() as connection:
            changed = await connection.execute(text("UPDATE casework.alerts SET status = 'closed'"))
            assert changed.rowcount == 1
        with pytest.raises(ProgrammingError, match="row-level security"):
            async with engine.connect() as connection:
                await connection.execute(text("UPDATE casework.alerts SET school_id = 'winthrop'"))
    await engine.dispose()


async def test_every_table_and_view_of_people_is_protected(owner: AsyncEngine) -> None:
    async with owner.connect() as connection:
        found = (await connection.execute(OF_PEOPLE)).all()
        views = set(await connection.scalars(ALL_VIEWS, {"schemas": list(ALL_SCHEMAS)}))
        assert {row.name for row in found} >= {"ingest.students", "ingest.consented_students", "notify.told"}
        assert [row.name for row in found if not (row.as_invoker if row.is_view else row.is_protected)] == []
        # A new table or view without protection is found, whatever its schema.
        await connection.execute(text("CREATE SCHEMA later; CREATE TABLE later.grades (student text)"))
        await connection.execute(text("CREATE VIEW later.people AS SELECT student AS student_id FROM later.grades"))
        found = (await connection.execute(OF_PEOPLE)).all()
        open_ones = [row.name for row in found if not (row.as_invoker if row.is_view else row.is_protected)]
        assert open_ones == ["later.grades", "later.people"]
        # And every view of ours is asked as who asks, also one that only counts.
        as_owner = text("""
            SELECT count(*) FROM pg_class c
            WHERE format('%I.%I', c.relnamespace::regnamespace, c.relname) = ANY (:views)
              AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
        """)
        assert await connection.scalar(as_owner, {"views": sorted(views)}) == 0


async def test_no_role_owns_a_table_or_passes_the_policies(owner: AsyncEngine) -> None:
    roles = [role_of(name) for name in (*SCHEMAS, READER)]
    async with owner.connect() as connection:
        owners = set(
            await connection.scalars(
                text("SELECT tableowner FROM pg_tables WHERE schemaname = ANY (:s)"), {"s": list(ALL_SCHEMAS)}
            )
        )
        assert owners == {make_url(str(owner.url)).username}
        powers = text("""
            SELECT rolname FROM pg_roles
            WHERE rolname = ANY (:roles)
              AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
              AND NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = pg_roles.oid)
        """)
        assert set(await connection.scalars(powers, {"roles": roles})) == set(roles)


async def test_a_wrong_user_is_told(database: OwnDatabase) -> None:
    engine = make_engine(database.of("notify"), service="casework")
    async with engine.connect() as connection:
        assert "firstbell_casework" in (await check_role(connection, "casework") or "")
    await engine.dispose()


async def test_the_owner_who_becomes_a_role_is_held_as_it_is(database: OwnDatabase) -> None:
    """So `firstbell up` runs the services against a database outside."""
    url = as_role(database.owner, role_of("casework"))
    unsaid, said = make_engine(url), make_engine(url, service="casework")
    async with unsaid.connect() as first, said.connect() as second:
        assert await first.scalar(text("SELECT current_user")) == "firstbell_casework"
        assert await number(first, "casework.alerts") == 0
        assert await number(second, "casework.alerts") == 2
    await unsaid.dispose()
    await said.dispose()


async def test_migrations_go_down_and_up_again(stack: Stack) -> None:
    async with own_database(stack) as database:
        await asyncio.to_thread(_down_and_up, database.owner)


def _down_and_up(url: str) -> None:
    engine = create_engine(url)
    ours = text(f"SELECT count(*) FROM pg_policies WHERE schemaname IN {ALL_SCHEMAS}")
    granted = text("SELECT count(*) FROM information_schema.role_table_grants WHERE grantee LIKE 'firstbell\\_%'")
    defaults = text("SELECT count(*) FROM pg_default_acl")
    with engine.connect() as connection:
        before = [connection.scalar(query) for query in (ours, granted, defaults)]
        connection.execute(text(SEED))
        connection.commit()
        for service in reversed(with_schema(SERVICES)):
            command.downgrade(migration_config(url, service), BEFORE[service.name])
        assert [connection.scalar(query) for query in (ours, granted, defaults)] == [0, 0, 0]
        assert connection.scalar(text("SELECT count(*) FROM ingest.consented_students")) == 1
        connection.rollback()
        migrate(url, SERVICES)
        assert [connection.scalar(query) for query in (ours, granted, defaults)] == before
    engine.dispose()


def pg_dump(stack: Stack, url: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    parts = make_url(url)
    program = find_programs(stack.data_dir / "postgres" / "data").folder / "pg_dump"
    argv = [program, "--host", str(parts.host), "--port", str(parts.port), "--username", str(parts.username)]
    env = {**os.environ, "PGPASSWORD": str(parts.password), **environment}
    return subprocess.run(
        [*argv, *arguments, str(parts.database)], env=env, capture_output=True, text=True, timeout=60, check=False
    )


async def test_the_embedded_owner_dumps_everything(stack: Stack, database: OwnDatabase) -> None:
    done = await asyncio.to_thread(pg_dump, stack, database.owner)
    assert done.returncode == 0, done.stderr
    assert "D-2" in done.stdout
    assert "her@agency.example" in done.stdout
    assert "FORCE ROW LEVEL SECURITY" in done.stdout


@pytest_asyncio.fixture(loop_scope="session")
async def plain_owner(stack: Stack) -> AsyncIterator[str]:
    """The URL of an owner who is no superuser, and of their empty database."""
    name = f"owner_{uuid4().hex[:8]}"
    admin = make_engine(stack.database).execution_options(isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'made-up'"))
        await connection.execute(text(f"CREATE DATABASE {name} OWNER {name}"))
    parts = make_url(stack.database).set(username=name, password="made-up", database=name)
    yield parts.render_as_string(hide_password=False)
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        await connection.execute(text(f"DROP ROLE {name}"))
    await admin.dispose()


async def test_an_owner_without_powers_migrates_serves_and_dumps(stack: Stack, plain_owner: str) -> None:
    await asyncio.to_thread(migrate, plain_owner, SERVICES)
    await asyncio.to_thread(migrate, plain_owner, SERVICES)
    with pytest.raises(RolesError, match="GRANT firstbell_ingest, firstbell_warning, "):
        require_membership(plain_owner, SERVICES)
    require_membership(stack.database, SERVICES)
    database = OwnDatabase(stack, str(make_url(plain_owner).database))
    casework = make_engine(database.of("casework"), service="casework")
    async with make_sessions(casework).begin() as session:
        await keep(session, [event("planted-pseudonym")])
    await casework.dispose()
    owner = make_engine(plain_owner)
    async with owner.connect() as connection:
        assert await number(connection, "casework.alerts") == 0
        await say(connection, service="owner")
        assert await number(connection, "casework.alerts") == 1
    await owner.dispose()

    refused = await asyncio.to_thread(pg_dump, stack, plain_owner)
    assert refused.returncode != 0
    assert "row-level security" in refused.stderr
    context = {"PGOPTIONS": "-c firstbell.service=owner"}
    done = await asyncio.to_thread(pg_dump, stack, plain_owner, "--enable-row-security", **context)
    assert done.returncode == 0, done.stderr
    assert "planted-pseudonym" in done.stdout


async def test_missing_roles_are_made_by_who_may_and_else_told(stack: Stack, plain_owner: str) -> None:
    role = f"nowhere{uuid4().hex[:8]}"
    services = [ServiceSpec(name=role, summary="", module="", command=(), migrations=stack.data_dir)]
    admin, powerless = create_engine(stack.database), create_engine(plain_owner)
    may_log_in = text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role")
    with powerless.connect() as connection, pytest.raises(RolesError, match=r"deploy/README\.md"):
        make_missing_roles(connection, services)
    with admin.connect() as connection:
        make_missing_roles(connection, services)
        assert connection.scalar(may_log_in, {"role": role_of(role)}) is False
        connection.execute(text(f"ALTER ROLE {role_of(role)} BYPASSRLS"))
        with pytest.raises(RolesError, match="BYPASSRLS"):
            make_missing_roles(connection, services)
        connection.execute(text(f"DROP ROLE {role_of(role)}"))
        connection.execute(text(f"ALTER ROLE {make_url(plain_owner).username} CREATEROLE"))
        connection.commit()
    with powerless.connect() as connection:
        make_missing_roles(connection, services)
    became = create_engine(as_role(plain_owner, role_of(role)))
    with became.connect() as connection:
        assert connection.scalar(text("SELECT current_user")) == role_of(role)
    became.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP ROLE {role_of(role)}"))
        connection.commit()
    admin.dispose()
    powerless.dispose()
