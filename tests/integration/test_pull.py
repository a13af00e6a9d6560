"""`firstbell pull --once` as a process: whatever its source does, what is kept ends equal to the source."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from time import sleep
from typing import Any

import pytest
import pytest_asyncio

from services.platform.embedded.endpoints import Stack
from tests.identity import Identity
from tests.integration.ingest_support import sent
from tests.integration.taking import Taken
from tests.integration.test_pull_interrupted import STUDENTS, Command, assert_equal_to_one_round, consented
from tests.ods.app import CLIENT_SECRET, Ods
from tests.ods.district import NAME, event, fill, student_id
from tests.ods.office import EVENTS, Office
from tests.ods.server import listening
from tests.ods.store import OdsState
from tests.ods.weather import Cut, Expire, Fail, Throttle

FIRST_DAY = date(2021, 8, 23)
THERE = STUDENTS - 2
"""So many are in the source at first: the last one with a consent comes later."""


@dataclass
class Scene:
    """A source, a database, and the command that pulls from one into the other."""

    ods: Ods
    url: str
    taken: Taken
    command: Command
    stack: Stack
    identity: Identity
    folder: Path

    async def assert_level(self) -> None:
        """What is kept and sent is what one round of the source as it is now comes to."""
        self.ods.snapshots.clear()  # a first round would read one of them, however old
        args = (self.taken, self.ods, self.url, self.stack, self.identity, self.folder)
        await assert_equal_to_one_round(*args)

    async def run_until_level(self) -> None:
        """Rounds until one has found what stands at the end."""
        done = -1
        while done < self.ods.state.version:
            report, _ = await self.command.run()
            done = min(found for found in versions(report).values() if found)


@pytest_asyncio.fixture
async def scene(stack: Stack, identity: Identity, tmp_path: Path) -> AsyncIterator[Scene]:
    ods = Ods()
    fill(ods.state, THERE)
    with listening(ods) as url:
        async with consented(stack, identity, tmp_path / "pulled", STUDENTS) as taken:
            yield Scene(ods, url, taken, Command(taken, url), stack, identity, tmp_path / "whole")


def versions(report: Any) -> dict[str, int]:
    return {name: counts["change_version"] for name, counts in report["resources"].items()}


def read(report: Any) -> dict[str, int]:
    return {name: counts["read"] for name, counts in report["resources"].items() if counts["read"]}


def correct(state: OdsState) -> None:
    """A day's work of an office: something is new, changed, deleted and moved in many resources."""
    state.put(EVENTS, event(student_id(0), FIRST_DAY + timedelta(days=2), "Tardy"))
    state.delete(EVENTS, studentUniqueId=student_id(2), eventDate=_days_of(state, 2)[0])
    state.delete("grades", studentUniqueId=student_id(4))
    (row,) = (one for one in state.standing("disciplineActions") if _student(one.body) == student_id(4))
    state.put("disciplineActions", row.body | {"actualDisciplineActionLength": 4})


def _student(body: Any) -> str:
    return str(body["studentReference"]["studentUniqueId"])


def _days_of(state: OdsState, number: int) -> list[str]:
    return [row.body["eventDate"] for row in state.standing(EVENTS) if _student(row.body) == student_id(number)]


async def test_trouble_is_waited_out_and_nothing_is_told_of_a_student(scene: Scene) -> None:
    ods = scene.ods
    ods.counts = False
    ods.weather.plan(EVENTS, Throttle(2), Cut(), Fail(500), Expire())
    ods.weather.plan("grades", Fail(503), Cut(), Throttle(0))
    report, said = await scene.command.run()
    assert not ods.weather.planned
    assert report["seconds"] > 2
    assert set(versions(report).values()) - {0} == {ods.state.version}
    await scene.assert_level()
    correct(ods.state)
    _, more = await scene.command.run()
    told = said + more + repr(ods.asked) + _written(scene.taken.settings.data_dir)
    assert [word for word in (NAME, "STU0", CLIENT_SECRET) if word in told] == []
    for one in await sent(scene.taken.settings.require_kafka()):
        assert b"STU0" not in (one.key or "").encode() + (one.value or b"")
        assert NAME.encode() not in (one.value or b"")


def _written(folder: Path) -> str:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "client.toml")
    return "".join(path.read_bytes().decode(errors="replace") for path in files)


async def test_a_second_round_reads_what_changed_and_a_third_nothing(scene: Scene) -> None:
    state = scene.ods.state
    first, _ = await scene.command.run()
    assert read(first) == {name: len(rows) for name, rows in state.rows.items() if rows}
    correct(state)
    second, _ = await scene.command.run()
    assert read(second) == {EVENTS: 1, "disciplineActions": 1}
    assert {name: one["deleted"] for name, one in second["resources"].items() if one["deleted"]} == {
        EVENTS: 1,
        "grades": 1,
    }
    third, said = await scene.command.run()
    assert read(third) == {}
    assert "nothing has changed" in said
    assert set(versions(third).values()) - {0} == {state.version}
    await scene.assert_level()


async def test_students_marks_and_courses_that_get_another_key_are_what_they_are_now(scene: Scene) -> None:
    state = scene.ods.state
    await scene.command.run()
    state.rename("studentUniqueId", student_id(2), student_id(THERE))
    row = next(one for one in state.standing(EVENTS) if _student(one.body) == student_id(0))
    state.rekey(EVENTS, row, row.body | {"eventDate": (FIRST_DAY + timedelta(days=28)).isoformat()})
    state.rename("localCourseCode", "ALG", "ALG-A")
    state.rename("entryDate", "2021-08-23", "2021-08-24")
    report, _ = await scene.command.run()
    changed = {name: one["key_changed"] for name, one in report["resources"].items() if one["key_changed"]}
    assert changed.keys() >= {"students", EVENTS, "grades", "sections", "courseOfferings", "studentSchoolAssociations"}
    await scene.assert_level()


async def test_a_student_whose_id_is_another_without_a_consent_is_kept_no_more(scene: Scene) -> None:
    state = scene.ods.state
    await scene.command.run()
    state.rename("studentUniqueId", student_id(2), student_id(901))
    await scene.command.run()
    await scene.assert_level()


async def test_resources_that_are_not_given_are_named_and_read_when_they_are(scene: Scene) -> None:
    ods = scene.ods
    ods.forbidden |= {"studentAssessments", "sections"}
    ods.lacking |= {"disciplineActions", "studentSectionAttendanceEvents", "studentAcademicRecords"}
    report, said = await scene.command.run()
    assert {name for name, version in versions(report).items() if not version} >= ods.forbidden | ods.lacking
    for name in ods.forbidden:
        assert f"{name}: the client has no right to it (403)" in said
    for name in ods.lacking:
        assert f"{name}: the API does not have it (404)" in said
    ods.forbidden.clear()
    ods.lacking.clear()
    correct(ods.state)
    await scene.command.run()
    await scene.assert_level()


async def test_rights_that_are_taken_away_take_nothing_back(scene: Scene) -> None:
    await scene.command.run()
    scene.ods.forbidden |= {EVENTS, "grades", "studentSchoolAssociations", "calendarDates", "sections"}
    await scene.command.run("--anew")
    scene.ods.forbidden.clear()
    await scene.assert_level()


async def test_a_snapshot_is_read_and_then_what_came_after_it(scene: Scene) -> None:
    ods = scene.ods
    ods.snapshot()
    of_snapshot = ods.state.version
    correct(ods.state)
    first, _ = await scene.command.run()
    assert set(versions(first).values()) - {0} == {of_snapshot}
    second, _ = await scene.command.run()
    assert set(versions(second).values()) - {0} == {ods.state.version}
    ods.state.rename("studentUniqueId", student_id(4), student_id(THERE))
    ods.snapshot()
    await scene.command.run()
    await scene.assert_level()


async def test_a_snapshot_that_is_dropped_in_mid_pull_leaves_the_rest_to_the_next_round(scene: Scene) -> None:
    ods = scene.ods
    ods.snapshot()
    correct(ods.state)
    with scene.command.begin() as process:
        await asyncio.to_thread(_until, lambda: any(path == EVENTS for path, _ in ods.asked))
        with ods.lock:
            ods.snapshots.clear()
        said, _ = await asyncio.to_thread(process.communicate)
    report = json.loads(scene.command.out.read_text())
    assert 0 in versions(report).values()
    assert "Not read" in said
    await scene.run_until_level()
    await scene.assert_level()


async def test_a_restored_source_is_read_anew_also_by_a_pull_that_is_killed(scene: Scene) -> None:
    ods = scene.ods
    early = ods.state.copy()
    correct(ods.state)
    for day in range(3):
        ods.state.put(EVENTS, event(student_id(0), FIRST_DAY + timedelta(days=day), "Unexcused Absence"))
    ods.state.rename("studentUniqueId", student_id(2), student_id(THERE))
    await scene.command.run()
    ods.restore(early)
    ods.state.put(EVENTS, event(student_id(4), FIRST_DAY + timedelta(days=3), "Tardy"))
    assert await asyncio.to_thread(scene.command.kill, ods, 40)
    await scene.command.run()
    await scene.assert_level()


@pytest.mark.parametrize("resource", ["studentSectionAttendanceEvents", "studentAcademicRecords"])
async def test_what_is_deleted_after_a_first_round_was_killed_is_not_kept(scene: Scene, resource: str) -> None:
    ods = scene.ods
    ods.weather.plan(resource, Throttle(60))
    assert await asyncio.to_thread(_kill_when_throttled, scene)
    ods.state.delete(EVENTS, studentUniqueId=student_id(0), eventDate=_days_of(ods.state, 0)[0])
    ods.state.rename("studentUniqueId", student_id(2), student_id(THERE))
    ods.state.delete("studentAcademicRecords", studentUniqueId=student_id(4))
    await scene.command.run()
    await scene.assert_level()


def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        sleep(0.005)


def _kill_when_throttled(scene: Scene) -> bool:
    """Kill a pull that waits, as it was throttled."""
    with scene.command.begin() as process:
        _until(lambda: process.poll() is not None or not scene.ods.weather.planned)
        process.kill()
    return process.returncode == -signal.SIGKILL


async def test_ctrl_c_ends_a_round_which_the_next_one_goes_on_with(scene: Scene) -> None:
    ods = scene.ods
    with scene.command.begin() as process:
        await asyncio.to_thread(_until, lambda: len(ods.asked) >= 30 or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        said, _ = await asyncio.to_thread(process.communicate)
    assert process.returncode == 130, said
    assert "it goes on where it was" in said
    assert "Traceback" not in said
    report, _ = await scene.command.run()
    assert sum(read(report).values()) < sum(len(rows) for rows in ods.state.rows.values())
    await scene.assert_level()


async def test_ten_kills_of_a_source_that_fails_and_renames_students(scene: Scene) -> None:
    ods, chance = scene.ods, Random(5)
    ods.weather.between = Office(5, THERE, FIRST_DAY, most=250)
    ods.weather.rate, ods.weather.kinds = 0.02, (Throttle(0), Fail(503), Cut())
    killed = 0
    for number in range(10):
        killed += await asyncio.to_thread(scene.command.kill, ods, chance.randrange(3, 60))
        with ods.lock:
            if number == 3:
                ods.state.rename("studentUniqueId", student_id(2), student_id(THERE))
            if number == 7:
                ods.snapshot()
    assert killed > 5
    await scene.run_until_level()
    await scene.assert_level()
