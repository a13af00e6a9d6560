"""What is destroyed by command, or on an agreement's day, and the receipt: on a real database."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.destroy import destroy
from services.ingest.erasure import destruction
from services.ingest.identity.pseudonyms import Pseudonymizer, load_key
from services.ingest.inspection import opened
from services.platform.database import make_engine
from tests.integration.test_agreement import HEARTH, HOPE, agreement
from tests.integration.test_inspections import DAY, MARKED, District
from tests.integration.test_inspections import district as district  # noqa: PLC0414 - a fixture


async def receipts(district: District) -> list[Any]:
    done = await district.run(destroy, "--receipts", "--json")
    assert done.exit_code == 0, done.output
    found: list[Any] = json.loads(done.stdout)
    return found


async def destroyed(district: District, *which: str) -> Any:
    done = await district.run(destroy, *which, "--yes", "--json")
    assert done.exit_code == 4, done.output  # nothing runs that would confirm it
    return json.loads(done.stdout)


async def test_without_a_yes_it_is_only_said(district: District) -> None:
    student, _ = await district.child("Mine")
    for which in (("--student", student), ("--agreement", "DSA")):
        done = await district.run(destroy, *which)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "feeds: 1). Say --yes to do it." in done.stderr
    assert (await district.run(destroy)).exit_code == 2
    assert await district.count("ingest.students") == 1
    assert await receipts(district) == []
    unknown = await district.run(destroy, "--student", "nobody", "--yes")
    assert (unknown.exit_code, "Nothing is kept" in unknown.output) == (1, True)
    unknown = await district.run(destroy, "--agreement", "nothing", "--yes")
    assert (unknown.exit_code, "There never was an agreement nothing" in unknown.output) == (1, True)


async def test_one_student_is_erased_from_every_feed_and_no_consent_of_before_counts(district: District) -> None:
    taken = district.taken
    student, _ = await taken.consent(HOPE, HEARTH)
    pseudonyms = await taken.pseudonyms(student)
    await taken.marks(student, ("both", MARKED))
    other, _ = await taken.consent(HOPE)
    receipt = await destroyed(district, "--student", student)
    assert (receipt["students"], len(receipt["proofs"]), receipt["held"]) == (1, 2, 0)
    assert receipt["clause"] == "at the district's request, under DSA, version 1"
    assert receipt["what"] == {"erasure.keys": 2, "ingest.consents": 2, "ingest.students": 2, "ingest.taken": 2}
    assert receipt["where"] == ["erasure", "ingest"]
    assert receipt["by"].startswith("cli:")
    assert await taken.pseudonyms(student) == {}
    assert list(await taken.pseudonyms(other)) == [HOPE]
    assert student not in json.dumps(receipt)
    entries = await taken.rows("SELECT subject, students FROM audit.entries WHERE action = :id", destruction.ACTION)
    assert [set(one.students) for one in entries] == [set(pseudonyms.values())]
    _, again = await taken.consent(HOPE, HEARTH, student=student)
    assert again is None
    assert await district.count("ingest.students") == 1
    assert [one["id"] for one in await receipts(district)] == [receipt["id"]]


async def test_all_under_an_agreement_go_but_who_consented_to_the_one_in_force(district: District) -> None:
    taken = district.taken
    await taken.apply(agreement(1, id="EARLIER"))
    await taken.apply(agreement(2))
    both, _ = await taken.consent(HOPE)
    await taken.consent(HOPE, agreement_id="EARLIER", student=both)
    assert await district.count("ingest.consents") == 2
    receipt = await destroyed_quietly(district, "--agreement", "EARLIER")
    assert (receipt["students"], receipt["what"], receipt["state"]) == (0, {"ingest.consents": 1}, "complete")
    assert list(await taken.pseudonyms(both)) == [HOPE]
    others = [(await taken.consent(HOPE))[0] for _ in range(3)]
    receipt = await destroyed(district, "--agreement", "DSA")
    assert (receipt["students"], receipt["clause"]) == (4, "DSA, version 2: destroy_by 2018-12-31")
    assert "nobody is named in them" in receipt["kept"]
    for student in (both, *others):
        assert await taken.pseudonyms(student) == {}


async def destroyed_quietly(district: District, *which: str) -> Any:
    done = await district.run(destroy, *which, "--yes", "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


async def test_on_its_day_an_agreement_destroys_by_itself_and_once(district: District) -> None:
    taken, day = district.taken, DAY + timedelta(days=3)
    await taken.apply(agreement(2, destroy_by=day))
    student, pseudonym = await taken.consent(HOPE)
    await taken.intake.set_replay_day(day - timedelta(days=1))
    await taken.intake.sweep()
    assert await receipts(district) == []
    for _ in range(2):
        await taken.intake.set_replay_day(day)
        await taken.intake.sweep()
    (receipt,) = await receipts(district)
    assert (receipt["by"], receipt["students"]) == ("destroy_by", 1)
    assert receipt["clause"] == f"DSA, version 2: destroy_by {day}"
    assert await taken.pseudonyms(student) == {}
    (entry,) = await taken.rows("SELECT subject, role, students FROM audit.entries WHERE action = :id", "destruction")
    assert (entry.subject, entry.role, entry.students) == ("ingest", "service", [pseudonym])


async def test_what_ended_before_is_told_on_the_day(district: District) -> None:
    taken = district.taken
    await taken.consent(HOPE)
    for day in (date(2018, 7, 1), date(2018, 12, 31)):
        await taken.intake.set_replay_day(day)
        await taken.intake.sweep()
    (receipt,) = await receipts(district)
    assert (receipt["students"], receipt["before"], receipt["state"]) == (0, 1, "complete")


async def test_interrupted_it_is_gone_on_with_under_the_same_receipt(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, day = district.taken, DAY + timedelta(days=3)
    await taken.apply(agreement(2, destroy_by=day))
    students = [(await taken.consent(HOPE))[0] for _ in range(3)]
    monkeypatch.setattr(destruction, "AT_ONCE", 1)
    some = destruction._destroy_some

    async def killed(engine: AsyncEngine, *given: Any) -> bool:
        await some(engine, *given)
        raise ProcessLookupError

    monkeypatch.setattr(destruction, "_destroy_some", killed)
    await taken.intake.set_replay_day(day)
    with pytest.raises(ProcessLookupError):
        await taken.intake.sweep()
    (begun,) = await receipts(district)
    assert (begun["students"], begun["ended_at"], begun["state"]) == (1, None, "pending")
    monkeypatch.setattr(destruction, "_destroy_some", some)
    await taken.intake.sweep()
    (ended,) = await receipts(district)
    assert (ended["id"], ended["students"], ended["ended_at"] is not None) == (begun["id"], 3, True)
    assert [await taken.pseudonyms(student) for student in students] == [{}, {}, {}]


async def test_what_is_inspected_waits_when_an_agreement_is_destroyed(district: District) -> None:
    taken = district.taken
    mine, _ = await taken.consent(HOPE)
    other, _ = await taken.consent(HOPE)
    engine = make_engine(district.database.of("ingest"), service="ingest", pool_size=1)
    digest = Pseudonymizer(load_key(taken.settings.key_file)).digest(mine)
    async with engine.begin() as connection:
        await opened.open_for(connection, digest, [], "her")
    await engine.dispose()
    receipt = await destroyed(district, "--agreement", "DSA")
    assert (receipt["students"], receipt["held"]) == (2, 1)
    assert await district.count("ingest.students") == 1
    assert [await taken.pseudonyms(student) for student in (mine, other)] == [{}, {}]
    again = await destroyed_quietly(district, "--agreement", "DSA")
    assert (again["students"], again["held"], again["before"], again["state"]) == (0, 1, 1, "held")
