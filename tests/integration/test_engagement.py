"""Engagement over the database: as of a folder's files, as it was known on a day, and nothing that is not shared."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from models.engagement.judgement import Engagement
from models.engagement.policy import engagement_policy
from services.ingest.agreement.reading import load_agreement
from services.ingest.formats import open_sources
from services.ingest.imports.importer import Importer
from services.ingest.intake import Intake
from services.lab.engagement.folder import EngagementQuestion, engagement_of
from services.lab.engagement.live import LiveEngagement
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack
from tests.identity import Identity
from tests.integration.ingest_support import OwnDatabase, ingest_settings, own_database
from tests.integration.taking import Taken

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "district"
TODAY: Final = date(2026, 11, 25)
HANDED_IN: Final = datetime(2026, 11, 25, 22, tzinfo=UTC)


class System(NamedTuple):
    """An intake on a database of its own, and the database as casework's role."""

    taken: Taken
    database: OwnDatabase

    async def imported(self, folder: Path, as_of: datetime = HANDED_IN) -> None:
        report = await Importer(self.taken.intake, open_sources([folder]), lambda _: None).run(as_of)
        assert not report.rejections

    async def live(self, as_of: date | None = None, *, recipient: str | None = None) -> dict[str, Engagement]:
        """Everybody, as casework's role has them."""
        async with self.asking() as engine:
            found = await LiveEngagement.begin(engine, as_of, recipient, None)
            students: dict[str, Engagement] = {}
            after = ""
            while batch := await found.next(engine, engagement_policy(), after):
                students |= batch.students
                after = batch.last
        return students

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[AsyncEngine]:
        engine = make_engine(self.database.of("casework"), service="casework", pool_size=1)
        try:
            yield engine
        finally:
            await engine.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def system(stack: Stack, tmp_path: Path, identity: Identity) -> AsyncIterator[System]:
    """The example's agreement is in force, and nothing was handed in."""
    async with own_database(stack, agreement=False) as database:
        settings = identity.of(ingest_settings(stack.kafka, database.of("ingest"), tmp_path))
        async with Intake.open(settings) as intake:
            await intake.set_replay_day(TODAY)
            taken = Taken(intake, settings)
            await taken.apply(load_agreement(EXAMPLE / "agreement.toml"))
            yield System(taken, database)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example, to be changed."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "district"))


def of_folder(folder: Path, as_of: date) -> dict[str, Engagement]:
    return engagement_of(EngagementQuestion(folder, engagement_policy(), as_of)).students


@pytest.mark.parametrize(
    "as_of", [TODAY, date(2026, 11, 13), date(2026, 11, 12), date(2026, 10, 20), date(2026, 10, 7)]
)
async def test_the_database_says_what_the_folder_says(system: System, as_of: date) -> None:
    await system.imported(EXAMPLE)
    found = await system.live(as_of)
    assert len(found) == 6
    assert found == of_folder(EXAMPLE, as_of)
