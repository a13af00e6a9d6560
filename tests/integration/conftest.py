"""One embedded Kafka, PostgreSQL and mail sink for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.agreement.document import FeedId, assumed
from services.ingest.agreement.folder import AGENCY, PURPOSE
from services.ingest.agreement.standing import apply_agreement
from services.ingest.erasure.erase import erase
from services.ingest.identity.pseudonyms import KEY_BYTES, Pseudonymizer
from services.ingest.inspection import opened
from services.ingest.intake import Intake
from services.ingest.store import ledger
from services.ingest.store.students import lock
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack, stack_database
from services.platform.embedded.stack import running_stack
from services.platform.keys.master import MasterKeys
from services.platform.settings import Settings
from services.registry import SERVICES
from tests.identity import Identity
from tests.integration.ingest_support import ingest_settings, own_database
from tests.integration.taking import Taken
from tests.sealing import key_of


class Sink(NamedTuple):
    """Where the mail sink listens (`host:port`) and where it keeps the mails."""

    address: str
    folder: Path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Kafka, PostgreSQL and the sink, migrated and with topics; none of our services. All is disclosed live."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("firstbell"), kafka=None, database=None, smtp=None)
    async with running_stack(settings, SERVICES, run=()) as running:
        await apply_agreement(running.database, assumed(AGENCY, PURPOSE))
        yield running


@pytest.fixture(scope="session")
def kafka_bootstrap(stack: Stack) -> str:
    """`host:port` of the broker."""
    return stack.kafka


@pytest.fixture(scope="session")
def database_url(stack: Stack) -> str:
    """SQLAlchemy's URL of the migrated database, as its owner."""
    return stack.database


@pytest.fixture(scope="session")
def casework_url(stack: Stack) -> str:
    """The database as casework's role."""
    return stack_database(stack, "casework")


@pytest.fixture(scope="session")
def notify_url(stack: Stack) -> str:
    """The database as notify's role."""
    return stack_database(stack, "notify")


@pytest.fixture(scope="session")
def reader_url(stack: Stack) -> str:
    """The database as the reader's role."""
    return stack.database_app


@pytest.fixture(scope="session")
def smtp_sink(stack: Stack) -> Sink:
    """The mail sink."""
    assert stack.mail_dir is not None
    return Sink(stack.smtp, stack.mail_dir)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database engine of the tests' own."""
    engine = make_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
def master_file(stack: Stack) -> Path:
    """Where the stack's master key is."""
    return stack.data_dir / "secrets" / "master.key"


@pytest.fixture(scope="session")
def masters(master_file: Path) -> MasterKeys:
    """The stack's master key."""
    return MasterKeys.of(Settings(master_key=None, master_key_file=master_file))


class Students:
    """Students as ingest keeps them."""

    def __init__(self, engine: AsyncEngine, masters: MasterKeys) -> None:
        self._engine = engine
        self._masters = masters

    async def consented(self, school: str | None = None) -> tuple[str, str]:
        """A new student with a consent in force, and the key that `tests.sealing` has: pseudonym and district id.

        With a school: enrolled there.
        """
        pseudonym, student_id = uuid4().hex[:22], f"D-{uuid4().hex[:8]}"
        async with self._engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO ingest.students (pseudonym, student_id, agency, slot, consent_from) "
                    "VALUES (:pseudonym, :student_id, :agency, 1, :day)"
                ),
                {"pseudonym": pseudonym, "student_id": student_id, "day": date(2016, 9, 1), "agency": AGENCY},
            )
            if school is not None:
                await connection.execute(
                    text(
                        "INSERT INTO ingest.enrollments (student, school_id, entry_date) "
                        "SELECT id, :school, '2016-09-01' FROM ingest.students WHERE pseudonym = :pseudonym"
                    ),
                    {"pseudonym": pseudonym, "school": school},
                )
            wrapped = self._masters.wrap(pseudonym, key_of(pseudonym))
            await connection.execute(
                text("INSERT INTO erasure.keys VALUES (:pseudonym, :agency, :master, :wrapped)"),
                {"pseudonym": pseudonym, "agency": AGENCY, **wrapped._asdict()},
            )
        return pseudonym, student_id

    async def end_consent(self, pseudonym: str, *, held: bool = False) -> UUID:
        """The consent ends, and all that ingest keeps by it; `held`, a parent inspects it. The ledger's entry."""
        async with self._engine.begin() as connection:
            await ledger.alone(connection)
            query = text("SELECT student_id FROM ingest.students WHERE pseudonym = :p")
            student_id = (await connection.execute(query, {"p": pseudonym})).scalar_one()
            locked = await lock(connection, FeedId(AGENCY), [student_id])
            names = Pseudonymizer(bytes(KEY_BYTES))
            if held:
                await opened.open_for(connection, names.digest(student_id), [pseudonym], "a test")
            [entry] = await erase(
                connection,
                names,
                list(locked.values()),
                because="withdrawn",
                ended_on=date(2016, 12, 1),
                by="district",
                agreement="boston-2016",
            )
        return entry


@pytest.fixture(scope="session")
def students(engine: AsyncEngine, masters: MasterKeys) -> Students:
    """Makes students, and ends their consent."""
    return Students(engine, masters)


@pytest_asyncio.fixture(loop_scope="session")
async def taken(stack: Stack, tmp_path: Path, identity: Identity) -> AsyncIterator[Taken]:
    """An intake on a database of its own, on a day of the test agreements' term; none is in force yet."""
    async with own_database(stack, agreement=False) as database:
        settings = identity.of(ingest_settings(stack.kafka, database.of("ingest"), tmp_path))
        async with Intake.open(settings) as intake:
            await intake.set_replay_day(date(2016, 12, 7))
            yield Taken(intake, settings)


@asynccontextmanager
async def audit_broken(engine: AsyncEngine) -> AsyncIterator[None]:
    """Meanwhile nothing can be written to the audit."""
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE audit.entries RENAME TO broken"))
    try:
        yield
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE audit.broken RENAME TO entries"))
