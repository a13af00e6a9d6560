"""A consent that ends: what is gone at once, what never counts again, and what is told to whom, whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from services.contracts.topics import CONSENTS, ENROLLMENTS
from services.ingest.erasure.erase import apply_entry
from services.ingest.identity.pseudonyms import Pseudonymizer, load_key
from services.ingest.patience import UnavailableError
from services.ingest.publish import erasures
from services.ingest.publish.batches import Record
from services.ingest.publish.publisher import Publisher
from services.ingest.rows.parse import ConsentRow, MarkRow, StudentRow
from services.ingest.store import ledger
from services.ingest.store.consents import to_renew
from services.ingest.take.hand_in import HandIn
from services.platform.embedded.endpoints import Stack
from services.platform.erasure.copies import read_file, read_topic
from services.platform.erasure.entry import LedgerEntry
from tests.integration.taking import Taken
from tests.integration.test_agreement import DAY, FIRST, HEARTH, HOPE, agreement
from tests.integration.test_erasure import begun

TODAY = date(2016, 12, 7)
BEFORE, AFTER = date(2016, 12, 2), date(2016, 12, 6)


def names(taken: Taken) -> Pseudonymizer:
    return Pseudonymizer(load_key(taken.settings.key_file))


async def entries(taken: Taken, student: str) -> list[LedgerEntry]:
    digest = names(taken).digest(student)
    async with begun(taken) as connection:
        return (await ledger.of(connection, [digest])).get(digest, [])


async def proof(taken: Taken, pseudonym: str | None) -> dict[str, Any]:
    """The entry of this pseudonym, whom it waits for, and what ingest said that it removed."""
    query = """
        SELECT l.because, l.ended_on, l.by, l.agreement, l.published,
               array(SELECT service FROM erasure.awaited a WHERE a.id = l.id ORDER BY 1) AS awaited,
               (SELECT removed FROM erasure.confirmations c WHERE c.id = l.id AND service = 'ingest') AS removed
        FROM erasure.ledger l WHERE pseudonym = :id
    """
    (found,) = await taken.rows(query, pseudonym or "")
    return dict(found._mapping)


async def hand_in(taken: Taken, *rows: ConsentRow) -> list[tuple[str, str | None]]:
    return [(one.status, one.student) for one in await taken.intake.take_consents(rows)]


async def everything(stack: Stack, taken: Taken) -> str:
    """Each row of each table of the database, as text."""
    found = []
    name = make_url(taken.settings.require_database()).database
    engine = create_async_engine(make_url(stack.database).set(database=name))
    async with engine.connect() as connection:
        tables = await connection.execute(
            text("SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'")
        )
        for schema, table in tables.all():
            if schema not in {"pg_catalog", "information_schema"}:
                rows = await connection.execute(text(f'SELECT t::text FROM "{schema}"."{table}" AS t'))
                found += [f"{schema}.{table}: {row}" for row in rows.scalars()]
    await engine.dispose()
    return "\n".join(found)


async def test_nothing_of_a_withdrawn_student_is_left_in_any_table(taken: Taken, stack: Stack) -> None:
    await taken.apply(agreement())
    await taken.intake.set_replay_day(TODAY)
    student = "PLANTEDID"
    row = replace(taken.consent_row(student, HOPE, HEARTH), signed_by="Planted Guardian", birth_date=date(2004, 5, 6))
    ((_, pseudonym),) = await hand_in(taken, row)
    await taken.intake.take_students([StudentRow(student, "Planted", "Surname", grade="7", household_id="PLANTEDHOME")])
    await taken.enroll(student, "hopes", FIRST)
    await taken.marks(student, ("hopes", DAY), ("hearths", DAY))
    needles = ("PLANTED", "Planted", "Surname", student.encode().hex(), "2004-05-06")
    assert "Planted Guardian" in await everything(stack, taken)

    assert await taken.revoke(student, TODAY) == "accepted"
    left = await everything(stack, taken)
    assert [needle for needle in needles if needle in left] == []
    assert all("erasure." in line or "audit." in line for line in left.splitlines() if (pseudonym or "-") in line)
    found = await proof(taken, pseudonym)
    removed = found.pop("removed")
    assert removed == {
        "ingest.students": 1, "ingest.consents": 1, "ingest.enrollments": 1, "ingest.taken": 1, "erasure.keys": 1,
    }  # fmt: skip
    assert found == {
        "because": "withdrawn", "ended_on": TODAY, "by": "district", "agreement": "DSA", "published": True,
        "awaited": ["casework", "notify", "warning"],
    }  # fmt: skip


async def test_what_was_withdrawn_never_counts_again_and_a_later_consent_is_a_new_students(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    row = taken.consent_row(student, HOPE)
    assert [await taken.revoke(student, AFTER) for _ in range(2)] == ["accepted", "duplicate"]
    (outcome,) = await taken.intake.take_consents([row])
    assert (outcome.status, outcome.reason) == (
        "rejected",
        "It was withdrawn on 2016-12-06: a consent that was signed before that day never counts again",
    )
    said = HandIn(live=True)
    (outcome,) = await taken.intake.take_marks([MarkRow(student, "hopes", DAY, "absent")], said)
    assert (outcome.status, outcome.why_not) == ("not_consented", "withdrawn")
    assert (await taken.of(CONSENTS, pseudonym or ""))[-1] is None
    assert (await taken.of(ENROLLMENTS, pseudonym or ""))[-1] is None

    ((status, again),) = await hand_in(taken, replace(row, signed_on=AFTER))
    assert status == "accepted"
    assert again not in (pseudonym, None)
    assert await taken.pseudonyms(student) == {HOPE: again}
    assert await taken.marks(student, ("hopes", AFTER)) == ["accepted"]
    assert await taken.sent_marks(again or "") == [("hopes", AFTER)]
    await taken.revoke(student, TODAY)
    assert len({one.pseudonym for one in await entries(taken, student) if one.pseudonym}) == 2
    third = (await hand_in(taken, replace(row, signed_on=TODAY)))[0][1]
    assert len({pseudonym, again, third, None}) == 4


async def test_a_withdrawal_comes_before_its_consent(taken: Taken) -> None:
    await taken.apply(agreement())
    student = "NEVERSEEN"
    assert [await taken.revoke(student, AFTER) for _ in range(2)] == ["accepted", "duplicate"]
    (entry,) = await entries(taken, student)
    assert (entry.pseudonym, entry.recipient, entry.because) == (None, "*", "withdrawn")
    assert await hand_in(taken, taken.consent_row(student, HOPE, HEARTH)) == [("rejected", None)]
    assert await taken.rows("SELECT 1 FROM ingest.students WHERE student_id = :id", student) == []
    assert await taken.marks(student, ("hopes", DAY)) == ["not_consented"]
    both = [replace(taken.consent_row(student, HOPE), signed_on=day) for day in (BEFORE, AFTER)]
    assert [status for status, _ in await hand_in(taken, *both)] == ["rejected", "accepted"]
    assert (await entries(taken, student))[0].id in read_file(taken.settings.ledger_file)


async def test_one_recipient_of_two_and_one_kind_of_two(taken: Taken) -> None:
    await taken.apply(agreement())
    student = "TWO"
    row = replace(taken.consent_row(student, HOPE, HEARTH), records=("attendance", "grades"))
    await hand_in(taken, row)
    before = await taken.pseudonyms(student)
    assert await taken.revoke(student, TODAY, HEARTH) == "accepted"
    assert await taken.pseudonyms(student) == {HOPE: before[HOPE]}
    assert await hand_in(taken, row) == [("duplicate", before[HOPE])], "the rest of it goes on"
    assert await taken.pseudonyms(student) == {HOPE: before[HOPE]}
    assert await hand_in(taken, replace(row, recipients=(HEARTH,))) == [("rejected", None)]

    kinds = "SELECT records FROM ingest.consents JOIN ingest.students s ON s.id = student WHERE student_id = :id"
    assert await taken.revoke(student, TODAY, records=("grades",)) == "accepted"
    assert [one.records for one in await taken.rows(kinds, student)] == [["attendance"]]
    await hand_in(taken, row)
    assert [one.records for one in await taken.rows(kinds, student)] == [["attendance"]]
    assert await taken.revoke(student, TODAY, records=("attendance",)) == "accepted"
    assert await taken.pseudonyms(student) == {}
    assert await hand_in(taken, row) == [("rejected", None)]


async def test_a_consent_that_is_to_come_is_carried_to_a_new_student(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    later = replace(taken.consent_row(student, HOPE), signed_on=TODAY + timedelta(days=2), birth_date=date(2004, 5, 6))
    assert (await hand_in(taken, later))[0][0] == "accepted"
    await taken.revoke(student, TODAY)
    slots = "SELECT pseudonym, slot, adult_on, next_change, consent_from FROM ingest.students WHERE student_id = :id"
    (kept,) = await taken.rows(slots, student)
    assert kept.pseudonym != pseudonym
    assert kept[2:] == (date(2022, 5, 6), later.signed_on, None)
    ((slot,),) = await taken.rows("SELECT slot FROM erasure.ledger WHERE pseudonym = :id", pseudonym or "")
    assert kept.slot == slot
    await taken.intake.set_replay_day(later.signed_on or TODAY)
    await taken.intake.sweep()
    assert await taken.pseudonyms(student) == {HOPE: kept.pseudonym}


async def test_an_end_to_come_erases_on_its_day_and_who_signs_for_that_day_is_new(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    end = TODAY + timedelta(days=2)
    assert await taken.revoke(student, end) == "accepted"
    await hand_in(taken, replace(taken.consent_row(student, HOPE), signed_on=end))
    assert await taken.pseudonyms(student) == {HOPE: pseudonym}
    await taken.intake.set_replay_day(end)
    assert await taken.pseudonyms(student) == {}, "before any sweep"
    assert await taken.marks(student, ("hopes", end)) == ["accepted"], "by the consent of that day"
    (after,) = (await taken.pseudonyms(student)).values()
    assert after != pseudonym
    assert (await proof(taken, pseudonym))["because"] == "withdrawn"


@pytest.mark.parametrize("because", ["expired", "agreement_ended"])
async def test_the_clock_erases_too(taken: Taken, because: str) -> None:
    await taken.apply(agreement())
    row = replace(taken.consent_row("CLOCK", HOPE), expires_on=TODAY if because == "expired" else None)
    ((_, pseudonym),) = await hand_in(taken, row)
    if because == "expired":
        await taken.intake.set_replay_day(TODAY + timedelta(days=1))
    else:
        await taken.apply(agreement(2, expires_on=DAY))
    await taken.intake.sweep()
    found = await proof(taken, pseudonym)
    assert (found["because"], found["by"], found["awaited"]) == (because, "clock", ["casework", "notify", "warning"])
    assert await taken.rows("SELECT 1 FROM ingest.students WHERE student_id = :id", "CLOCK") == []
    await taken.apply(agreement(3))
    (outcome,) = await taken.intake.take_marks([MarkRow("CLOCK", "hopes", DAY, "absent")], HandIn(live=True))
    assert outcome.why_not == "ended"
    ((status, again),) = await hand_in(taken, replace(row, expires_on=None))
    assert status == "accepted"
    assert again != pseudonym


async def test_any_order_of_consents_withdrawal_and_marks_ends_in_the_same(taken: Taken) -> None:
    await taken.apply(agreement())
    ends = set()
    for number, order in enumerate(permutations(range(4))):
        student = f"ORDER{number}"
        old = replace(taken.consent_row(student, HOPE, HEARTH), signed_on=BEFORE)
        new = replace(taken.consent_row(student, HOPE), signed_on=AFTER)
        steps: list[Callable[[], Any]] = [
            lambda old=old: hand_in(taken, old),
            lambda new=new: hand_in(taken, new),
            lambda student=student: taken.revoke(student, date(2016, 12, 4)),
            lambda student=student: taken.marks(student, ("hopes", FIRST), ("hopes", AFTER)),
        ]
        for step in order:
            await steps[step]()
        again = [status for status, _ in await hand_in(taken, old, new)]
        await steps[3]()
        marks = await taken.marks(student, ("hopes", FIRST), ("hopes", AFTER), ("hearths", AFTER))
        query = "SELECT agency, consent_from, consent_through FROM ingest.consented_students WHERE student_id = :id"
        kept = "SELECT date FROM ingest.taken t JOIN ingest.students s ON s.id = t.student WHERE student_id = :id"
        runs, days = await taken.rows(query, student), await taken.rows(kept, student)
        ends.add((tuple(again), tuple(marks), tuple(map(tuple, runs)), tuple(map(tuple, days))))
    ((again, marks, runs, days),) = ends
    assert again == ("rejected", "duplicate")
    assert marks == ("not_consented", "duplicate", "not_consented")
    assert runs == ((HOPE, AFTER, date(2018, 6, 30)),)
    assert days == ((AFTER,),)


async def test_at_one_time_they_end_in_the_same_too(taken: Taken) -> None:
    await taken.apply(agreement())
    students = [f"RACE{number}" for number in range(20)]
    old = [replace(taken.consent_row(one, HOPE, HEARTH), signed_on=BEFORE) for one in students]
    await hand_in(taken, *old[:10])
    seen = [(await taken.pseudonyms(one)).values() for one in students[:10]]
    steps = [
        step
        for student, row in zip(students, old, strict=True)
        for step in (
            hand_in(taken, row),
            taken.marks(student, ("both", DAY), ("hopes", FIRST)),
            taken.revoke(student, AFTER),
            taken.intake.sweep(),
        )
    ]
    await asyncio.gather(*steps)
    for student in students:
        assert await taken.pseudonyms(student) == {}
    assert await taken.rows("SELECT 1 FROM ingest.students WHERE :id <> ''", "x") == []
    assert await taken.rows("SELECT 1 FROM ingest.taken WHERE :id <> ''", "x") == []
    assert await taken.rows("SELECT 1 FROM erasure.keys WHERE :id <> ''", "x") == []
    for pseudonym in (one for mine in seen for one in mine):
        assert (await taken.of(CONSENTS, pseudonym))[-1] is None


async def test_marks_that_are_on_their_way_when_the_consent_ends_leave_nothing(
    taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    await taken.apply(agreement())
    student, _ = await taken.consent(HOPE)
    row = MarkRow(student_id=student, school_id="hopes", date=TODAY, status="absent", event_id="their event")
    send = Publisher.send

    async def meanwhile(publisher: Publisher, records: Iterable[Record]) -> None:
        monkeypatch.setattr(Publisher, "send", send)
        await taken.revoke(student, TODAY)
        await send(publisher, records)

    monkeypatch.setattr(Publisher, "send", meanwhile)
    await taken.intake.take_marks([row], HandIn(run=1))
    for table in ("students", "taken", "taken_events"):
        assert await taken.rows(f"SELECT 1 FROM ingest.{table} WHERE :id <> ''", "x") == [], table
    (later,) = await hand_in(taken, replace(taken.consent_row(student, HOPE), signed_on=TODAY))
    assert later[0] == "accepted"
    assert [one.status for one in await taken.intake.take_marks([row], HandIn(run=2))] == ["accepted"]


@pytest.mark.parametrize("step", ["send", "file", "note", "confirm"])
async def test_whatever_fails_the_withdrawal_has_worked_and_is_told_later(
    taken: Taken, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)

    def fails(*_: object) -> Any:
        raise OSError if step == "file" else UnavailableError("Kafka")

    place = {"send": Publisher, "file": erasures, "note": ledger, "confirm": erasures}[step]
    name = {"send": "send", "file": "append_file", "note": "published", "confirm": "confirm"}[step]
    with monkeypatch.context() as broken:
        broken.setattr(place, name, fails)
        with pytest.raises(UnavailableError):
            await taken.revoke(student, TODAY)
    assert await taken.pseudonyms(student) == {}
    found = await proof(taken, pseudonym)
    assert (found["published"], "ingest" in found["awaited"], found["removed"]) == (False, True, None)
    await taken.intake.sweep()
    found = await proof(taken, pseudonym)
    assert (found["published"], "ingest" in found["awaited"]) == (True, False)
    assert found["removed"]["erasure.keys"] == 1
    told = {one.id for one in await entries(taken, student)}
    assert len(told) == 2, "the withdrawal, and what was erased for it"
    assert told <= read_file(taken.settings.ledger_file).keys()
    assert told <= (await read_topic(taken.settings.require_kafka(), names(taken).origin)).keys()
    assert (await taken.of(CONSENTS, pseudonym or ""))[-1] is None


async def test_a_restored_database_ends_what_was_withdrawn_for_a_day_to_come(taken: Taken) -> None:
    await taken.apply(agreement())
    student, _ = await taken.consent(HOPE)
    end = TODAY + timedelta(days=2)
    entry = LedgerEntry(
        id="00000000-0000-0000-0000-000000000001",
        student=ledger.entry_digest(names(taken).digest(student)),
        agreement="DSA",
        recipient="*",
        because="withdrawn",
        ended_on=end,
        at="2016-12-01T00:00:00Z",
        by="district",
    )
    async with begun(taken) as connection:
        await apply_entry(connection, entry)
    assert await taken.pseudonyms(student) == {}, "until it was looked at again"
    await taken.intake.sweep()
    through = "SELECT consent_through FROM ingest.consented_students WHERE student_id = :id"
    assert [one.consent_through for one in await taken.rows(through, student)] == [end - timedelta(days=1)]


async def test_what_is_missing_wrong_or_to_be_renewed_is_said(taken: Taken) -> None:
    await taken.apply(agreement())
    row = taken.consent_row("AGE", HOPE)
    grown = {"AGE": date(1998, 12, 7)}
    (outcome,) = await taken.intake.take_consents([replace(row, agreement_id="another")])
    assert (outcome.status, outcome.field) == ("rejected", "agreement_id")
    (outcome,) = await taken.intake.take_consents([replace(row, relationship="self")], births=grown)
    assert (outcome.status, outcome.field) == ("rejected", "relationship")
    (outcome,) = await taken.intake.take_consents([row], births=grown)
    assert outcome.status == "accepted"
    assert "eighteen" in (outcome.warning or "")
    async with begun(taken) as connection:
        assert await to_renew(connection) == 1
    own = replace(row, relationship="self", signed_on=date(2016, 12, 1))
    (outcome,) = await taken.intake.take_consents([own])
    assert outcome.field == "relationship", "the birthday is remembered"
    (outcome,) = await taken.intake.take_consents([replace(own, signed_on=TODAY)])
    assert (outcome.status, outcome.warning) == ("accepted", None)
    async with begun(taken) as connection:
        assert await to_renew(connection) == 0
