"""Rounds that are broken off at any moment, of a source that changes meanwhile, end equal to one round of its end."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from services.contracts.marks import MarkBatch
from services.contracts.packed import read_marks_record
from services.contracts.topics import MARKS
from services.ingest.agreement.document import Agreement
from services.ingest.agreement.folder import PURPOSE
from services.ingest.formats.mapping import Mapping
from services.ingest.intake import Intake
from services.ingest.pull import client, windows
from services.ingest.pull.client import OdsClient
from services.ingest.pull.credentials import ClientCredentials
from services.ingest.pull.rounds import pull_round
from services.ingest.rows.kinds import RECORD_TABLES
from services.platform.embedded.endpoints import Stack
from services.platform.sharing import OTHER_RECORDS
from services.platform.supervisor import inherited_environment
from tests.identity import Identity
from tests.integration.ingest_support import ciphers_of, ingest_settings, own_database, sent
from tests.integration.taking import Taken
from tests.integration.test_pull_rounds import RECIPIENT
from tests.ods.app import CLIENT_ID, CLIENT_SECRET, Ods
from tests.ods.district import NAME, SCHOOL, fill, student_id
from tests.ods.office import Office
from tests.ods.server import listening
from tests.ods.weather import Cut, Fail, Throttle

SEED = 4  # of its changes some move rows past a reader who goes forward
STUDENTS = 8
MANY = 130
"""So many that attendance has two pages."""
BREAKS = 10


def agreement() -> Agreement:
    both = {"to": RECIPIENT, "purpose": PURPOSE, "schools": [str(SCHOOL)]}
    return Agreement.model_validate(
        {
            "id": "DSA",
            "version": 1,
            "effective_on": date(2021, 8, 1),
            "expires_on": date(2027, 6, 30),
            "destroy_by": date(2027, 12, 31),
            "party": [{"id": one, "name": one, "role": "agency"} for one in (RECIPIENT, "city")],
            "disclosure": [
                {**both, "records": ["attendance"], "form": "live"},
                {**both, "records": OTHER_RECORDS, "form": "student"},
            ],
        }
    )


@asynccontextmanager
async def consented(stack: Stack, identity: Identity, folder: Path, students: int) -> AsyncIterator[Taken]:
    """A database in which every second student has a consent to everything."""
    async with own_database(stack, agreement=False) as database:
        settings = identity.of(ingest_settings(stack.kafka, database.of("ingest"), folder))
        async with Intake.open(settings) as intake:
            taken = Taken(intake, settings)
            await intake.set_replay_day(date(2026, 6, 30))
            await taken.apply(agreement())
            await intake.take_consents(
                [
                    replace(
                        taken.consent_row(student_id(number), RECIPIENT),
                        records=("attendance", *OTHER_RECORDS),
                        signed_on=date(2021, 8, 1),
                    )
                    for number in range(0, students, 2)
                ]
            )
            yield taken


async def content(taken: Taken) -> dict[str, set[tuple[object, ...]]]:
    """All that is kept, and of marks what stands of all that was sent."""
    queries = {
        "taken": "SELECT student_id, t.date, school_id, section, code FROM ingest.taken t JOIN ingest.students s"
        " ON s.id = t.student WHERE :id <> ''",
        "enrollments": "SELECT student_id, school_id, entry_date, exit_date FROM ingest.enrollments e"
        " JOIN ingest.students s ON s.id = e.student WHERE kept_for = '' AND :id <> ''",
        "days": "SELECT school_id, date FROM ingest.school_days WHERE instructional AND :id <> ''",
        "terms": "SELECT term, start_date, end_date FROM district.terms WHERE :id <> ''",
    }
    for name, table in RECORD_TABLES.items():
        columns = ", ".join(f"r.{one}" for one in table.fields)
        queries[name] = (
            f"SELECT s.student_id, {columns} FROM district.{name} r JOIN ingest.students s ON s.id = r.student "
            "WHERE until = 'infinity' AND :id <> ''"
        )
    found: dict[str, set[tuple[object, ...]]] = {
        name: {tuple(row) for row in await taken.rows(query, "x")} for name, query in queries.items()
    }
    found["sent"] = await _sent(taken)
    return found


async def _sent(taken: Taken) -> set[tuple[object, ...]]:
    ciphers = await ciphers_of(taken.settings)
    students = dict(await taken.rows("SELECT pseudonym, student_id FROM ingest.students WHERE :id <> ''", "x"))
    last: dict[tuple[object, ...], tuple[float, str, bool | None]] = {}
    for one in await sent(taken.settings.require_kafka(), MARKS):
        batch = read_marks_record(one.value or b"", ciphers.get)
        if isinstance(batch, MarkBatch):
            for mark in batch.marks:
                if mark.student in students:
                    key = (students[mark.student], mark.date, mark.section)
                    moment = mark.recorded_at.timestamp() if mark.recorded_at else -1
                    said = (moment, mark.status, mark.excused)
                    last[key] = max(last.get(key, said), said, key=lambda x: x[0])
    return {(*key, status, excused) for key, (_, status, excused) in last.items() if status != "retracted"}


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[OdsClient]:
    async with OdsClient.open(url.rstrip("/"), ClientCredentials(CLIENT_ID, CLIENT_SECRET), 30, lambda _: None) as one:
        yield one


async def assert_equal_to_one_round(
    taken: Taken, ods: Ods, url: str, stack: Stack, identity: Identity, folder: Path
) -> None:
    """What is kept and sent is what one round of the source as it is now comes to."""
    ods.weather.between = None
    async with consented(stack, identity, folder, STUDENTS) as whole, client_of(url) as ods_client:
        await pull_round(ods_client, whole.intake, Mapping())
        expected, found = await content(whole), await content(taken)
    assert {name: (found[name] - expected[name], expected[name] - found[name]) for name in expected} == {
        name: (set(), set()) for name in expected
    }
    assert {name for name, rows in found.items() if not rows} == {"eligibility"}


async def test_rounds_broken_off_at_random_end_equal_to_one_that_was_not(
    stack: Stack, identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "PAGE", 7)
    monkeypatch.setattr(client, "wait_for", lambda _: 0.01)
    ods, chance = Ods(), Random(SEED)
    fill(ods.state, STUDENTS)
    ods.weather.between = Office(SEED, STUDENTS, date(2021, 8, 23), most=120)
    ods.weather.rate, ods.weather.kinds = 0.02, (Throttle(0), Fail(503), Cut())
    with listening(ods) as url:
        async with consented(stack, identity, tmp_path / "broken", STUDENTS) as broken:
            for _ in range(BREAKS):
                async with client_of(url) as ods_client:
                    one = asyncio.create_task(pull_round(ods_client, broken.intake, Mapping()))
                    await asyncio.wait([one], timeout=chance.uniform(0.05, 1.0))
                    one.cancel()
                    await asyncio.gather(one, return_exceptions=True)
            done = 0
            async with client_of(url) as ods_client:
                while done < ods.state.version:
                    done = _done((await pull_round(ods_client, broken.intake, Mapping())).document())
            await assert_equal_to_one_round(broken, ods, url, stack, identity, tmp_path / "whole")


def _done(document: Any) -> int:
    """Up to which version all that the API has was taken."""
    versions = [counts["change_version"] for counts in document["resources"].values()]
    return min(version for version in versions if version)


class Command:
    """`firstbell pull --once` as a process on a database of its own."""

    def __init__(self, taken: Taken, url: str) -> None:
        folder = taken.settings.data_dir
        self.out = folder / "out.json"
        secret = folder / "client.toml"
        secret.write_text(f'client_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\n')
        secret.chmod(0o600)
        firstbell = Path(sys.executable).with_name("firstbell")
        options = ["--client", secret, "--once", "--json", self.out, "--data-dir", folder]
        self._argv = [firstbell, "pull", "--url", url, *options]
        self._env = inherited_environment() | {
            "FIRSTBELL_KAFKA": taken.settings.require_kafka(),
            "FIRSTBELL_DATABASE": taken.settings.require_database(),
        }

    def begin(self, *more: str) -> subprocess.Popen[str]:
        """The process at work, with more options."""
        argv = [*self._argv, *more]
        return subprocess.Popen(argv, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    async def run(self, *more: str) -> tuple[Any, str]:
        """Its JSON and what it said, once it has come to its end."""
        process = self.begin(*more)
        said, _ = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, said
        return json.loads(self.out.read_text()), said

    def kill(self, ods: Ods, after: int) -> bool:
        """Kill it when it has asked for so many pages; whether that was before its end."""
        asked = len(ods.asked)
        with self.begin() as process:
            while process.poll() is None and len(ods.asked) < asked + after:
                time.sleep(0.005)
            process.kill()
        return process.returncode == -signal.SIGKILL


async def test_a_pull_that_is_killed_ten_times_ends_equal_to_one_that_was_not(
    stack: Stack, identity: Identity, tmp_path: Path
) -> None:
    ods, chance = Ods(counts=False), Random(SEED)
    fill(ods.state, MANY)
    ods.weather.between = Office(SEED, STUDENTS, date(2021, 8, 23), most=300)
    with listening(ods) as url:
        async with consented(stack, identity, tmp_path / "killed", STUDENTS) as killed:
            command = Command(killed, url)
            kills = [await asyncio.to_thread(command.kill, ods, chance.randrange(3, 40)) for _ in range(BREAKS)]
            assert sum(kills) > BREAKS // 2
            await command.run()  # one more beside which the office is at work
            ods.weather.between = None
            report, said = await command.run()
            assert _done(report) == ods.state.version
            assert NAME not in said
            assert "STU" not in said
            names = {"read", "upserted", "deleted", "key_changed", "rejected", "change_version"}
            assert report.keys() == {"resources", "seconds"}
            assert all(counts.keys() == names for counts in report["resources"].values())
            await assert_equal_to_one_round(killed, ods, url, stack, identity, tmp_path / "whole")
            everything = await sent(killed.settings.require_kafka())
            assert not [one for one in everything if b"STU0" in (one.key or "").encode() + (one.value or b"")]
