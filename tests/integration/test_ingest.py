"""The intake on a real Kafka and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.ids import partition_of
from services.contracts.marks import AttendanceMark, DaysClosed, MarkBatch
from services.contracts.packed import read_marks_record
from services.contracts.reference import Consent, Enrollment, SchoolDay
from services.contracts.sealed import is_sealed
from services.contracts.topics import CONSENTS, ENROLLMENTS, MARKS, REJECTED, SCHOOL_DAYS
from services.ingest.app import create_app
from services.ingest.intake import Intake
from services.ingest.reporting.head_counts import HeadCounts
from services.ingest.rows.outcomes import tally
from services.ingest.rows.parse import ConsentRow, EnrollmentRow, MarkRow, StudentRow, parse_consent
from services.ingest.settings import IngestSettings
from services.ingest.take.days import Close
from services.ingest.take.hand_in import HandIn
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack
from tests.identity import Identity
from tests.integration.ingest_support import CONSENT, Sent, ciphers_of, ingest_settings, opened, own_database, sent
from tests.integration.running import running

TODAY = datetime.now(IngestSettings(kafka=None).tz).date()
LONG_AGO = (TODAY - timedelta(days=100)).isoformat()

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def settings(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory, identity: Identity
) -> AsyncIterator[IngestSettings]:
    async with own_database(stack) as database:
        yield identity.of(ingest_settings(stack.kafka, database.of("ingest"), tmp_path_factory.mktemp("ingest")))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(settings: IngestSettings, identity: Identity) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_app(settings), identity.auth("district")) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def intake(settings: IngestSettings) -> AsyncIterator[Intake]:
    """A second process, as `firstbell import` is."""
    async with Intake.open(settings) as intake:
        yield intake


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rows(settings: IngestSettings) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(settings.require_database(), service="ingest")
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def clock(intake: Intake) -> AsyncIterator[Intake]:
    """The intake, for a test that moves the replay clock."""
    yield intake
    await intake.set_replay_day(None)
    await intake.sweep()


def new_id() -> str:
    return f"RAW{uuid4().hex[:12]}"


def consent(student: str, **more: object) -> Json:
    return {"student_id": student, "signed_on": LONG_AGO, **CONSENT, **more}


def mark(student: str, day: date = TODAY, status: str = "absent", **more: object) -> Json:
    return {"student_id": student, "school_id": "0455", "date": day.isoformat(), "status": status, **more}


async def post(client: httpx.AsyncClient, path: str, *entries: object) -> Json:
    response = await client.post(f"/v1/{path}", json=list(entries))
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def statuses(client: httpx.AsyncClient, path: str, *entries: object) -> list[str]:
    return [result["status"] for result in (await post(client, path, *entries))["results"]]


async def consented(client: httpx.AsyncClient, **more: object) -> tuple[str, str]:
    """A new student with a consent in force: the district's id and the pseudonym."""
    student = new_id()
    (result,) = (await post(client, "consents", consent(student, **more)))["results"]
    assert result["status"] == "accepted"
    return student, result["student"]


async def of(settings: IngestSettings, topic: Any, key: str) -> list[Sent]:
    """What was sent under the key, opened as far as its own key is there."""
    ciphers = await ciphers_of(settings)
    return [
        record._replace(value=record.value and opened(topic, record.value, ciphers))
        for record in await sent(settings.require_kafka(), topic)
        if record.key == key
    ]


async def marks_of(settings: IngestSettings, pseudonym: str) -> list[tuple[int, AttendanceMark]]:
    found = []
    ciphers = await ciphers_of(settings)
    for record in await sent(settings.require_kafka(), MARKS):
        assert record.value is not None
        batch = read_marks_record(record.value, ciphers.get)
        if isinstance(batch, MarkBatch):
            found += [(record.partition, one) for one in batch.marks if one.student == pseudonym]
    return found


async def visible(rows: AsyncEngine, pseudonym: str) -> bool:
    async with rows.connect() as connection:
        query = text("SELECT count(*) FROM ingest.consented_students WHERE pseudonym = :p")
        return bool((await connection.execute(query, {"p": pseudonym})).scalar_one())


async def test_each_mark_is_answered_in_its_place(client: httpx.AsyncClient, settings: IngestSettings) -> None:
    student, pseudonym = await consented(client)
    answer = await post(
        client,
        "attendance",
        mark(student),
        mark(student),
        mark(student, status="away"),
        mark(new_id()),
        mark(student, TODAY - timedelta(days=101)),
        "no object",
        mark(student, status="present", recorded_at=f"{TODAY.isoformat()}T09:00:00"),
    )
    found = [result["status"] for result in answer["results"]]
    assert found == ["accepted", "duplicate", "rejected", "not_consented", "not_consented", "rejected", "accepted"]
    assert [answer[s] for s in ("accepted", "duplicate", "rejected", "not_consented")] == [2, 1, 2, 2]
    assert [result["index"] for result in answer["results"]] == list(range(7))
    (first_partition, first), (second_partition, second) = await marks_of(settings, pseudonym)
    assert first_partition == second_partition
    assert first.recorded_at is not None
    assert abs(datetime.now(UTC) - first.recorded_at) < timedelta(minutes=1)
    local = datetime.combine(TODAY, datetime.min.time().replace(hour=9), settings.tz)
    assert second.recorded_at == local
    assert (first.status, first.excused, first.history) == ("absent", None, False)


async def test_the_same_mark_at_the_same_moment_is_taken_once(client: httpx.AsyncClient) -> None:
    student, _ = await consented(client)
    answers = await asyncio.gather(*(post(client, "attendance", mark(student, event_id="e")) for _ in range(8)))
    assert sum(answer["accepted"] for answer in answers) == 1
    assert sum(answer["duplicate"] for answer in answers) == 7


async def test_what_flows_is_on_record_a_row_a_batch(client: httpx.AsyncClient, rows: AsyncEngine) -> None:
    one, other = await consented(client), await consented(client)
    await post(client, "attendance", mark(one[0]), mark(other[0]), mark(new_id()))
    await post(client, "attendance", mark(one[0]))
    await post(client, "enrollments", {"student_id": one[0], "school_id": "0455", "entry_date": LONG_AGO})
    query = text("SELECT * FROM audit.entries WHERE :p = ANY (students) ORDER BY entry")
    async with rows.connect() as connection:
        marks, enrollments = (await connection.execute(query, {"p": one[1]})).all()
    assert (marks.action, enrollments.action) == ("feed of marks", "feed of enrollments")
    assert marks.students == [one[1], other[1]]
    assert marks.consents == [date.fromisoformat(LONG_AGO)] * 2
    for entry in (marks, enrollments):
        assert (entry.subject, entry.role, entry.outcome) == ("ingest", "service", "allowed")
        assert entry.agency is not None
        assert entry.purpose == CONSENT["purpose"]


async def test_ndjson_of_any_length_is_taken(client: httpx.AsyncClient, settings: IngestSettings) -> None:
    student, pseudonym = await consented(client)
    lines = [json.dumps(mark(student, section_id=f"S{n}")).encode() for n in range(1_203)]
    lines[700] = b"{broken"

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(lines), 100):
            yield b"\n".join(lines[start : start + 100]) + b"\n"

    headers = {"content-type": "application/x-ndjson"}
    response = await client.post("/v1/attendance", content=body(), headers=headers)
    answer = response.json()
    assert (answer["accepted"], answer["rejected"]) == (1_202, 1)
    assert answer["results"][700]["status"] == "rejected"
    sections = [one.section for _, one in await marks_of(settings, pseudonym)]
    assert sections == [f"S{n}" for n in range(1_203) if n != 700]


@pytest.mark.parametrize(
    "more",
    [
        {"records": "housing_status"},
        {"purpose": "research"},
        {"recipients": ["dsni"]},
        {"expires_on": (TODAY - timedelta(days=1)).isoformat()},
        {"signed_on": TODAY.isoformat(), "expires_on": LONG_AGO},
    ],
)
async def test_of_a_student_whose_consent_does_not_count_nothing_is_kept(
    client: httpx.AsyncClient, rows: AsyncEngine, more: Json
) -> None:
    student = new_id()
    enrollment = {"student_id": student, "school_id": "0455", "entry_date": LONG_AGO}
    assert await statuses(client, "consents", consent(student, **more)) == ["not_consented"]
    assert await statuses(client, "attendance", mark(student)) == ["not_consented"]
    assert await statuses(client, "enrollments", enrollment) == ["not_consented"]
    async with rows.connect() as connection:
        query = text("SELECT count(*) FROM ingest.students WHERE student_id = :s")
        assert (await connection.execute(query, {"s": student})).scalar_one() == 0


async def test_a_withdrawal_hides_and_erases_at_once_and_sends_tombstones(
    client: httpx.AsyncClient, settings: IngestSettings, rows: AsyncEngine
) -> None:
    student, pseudonym = await consented(client)
    enrollment = {"student_id": student, "school_id": "0455", "entry_date": LONG_AGO, "grade": "7"}
    assert await statuses(client, "enrollments", enrollment, enrollment) == ["accepted", "duplicate"]
    assert await statuses(client, "attendance", mark(student, event_id=new_id())) == ["accepted"]
    assert await visible(rows, pseudonym)
    (began,) = await of(settings, CONSENTS, pseudonym)
    assert began.value is not None
    assert Consent.model_validate_json(began.value).valid_from.isoformat() == LONG_AGO
    (span,) = await of(settings, ENROLLMENTS, pseudonym)
    assert span.value is not None
    assert Enrollment.model_validate_json(span.value).grade == "7"

    notice = {"student_id": student, "agreement_id": "boston-2016", "revoked_on": TODAY.isoformat()}
    assert await statuses(client, "consents", notice, notice) == ["accepted", "duplicate"]
    assert not await visible(rows, pseudonym)
    assert await statuses(client, "attendance", mark(student, status="present")) == ["not_consented"]
    async with rows.connect() as connection:
        kept = await connection.execute(text("SELECT 1 FROM ingest.students WHERE student_id = :s"), {"s": student})
        assert not kept.all()

    sealed, ended = await of(settings, CONSENTS, pseudonym)
    assert sealed.value is not None
    assert is_sealed(sealed.value), "nobody has its key any more"
    assert (ended.value, ended.partition) == (None, began.partition)
    _, gone = await of(settings, ENROLLMENTS, pseudonym)
    assert (gone.value, gone.partition) == (None, span.partition)

    (refused,) = (await post(client, "consents", consent(student)))["results"]
    assert refused["status"] == "rejected"
    assert refused["reason"].startswith(f"It was withdrawn on {TODAY}")
    (again,) = (await post(client, "consents", consent(student, signed_on=TODAY.isoformat())))["results"]
    assert again["status"] == "accepted"
    assert again["student"] != pseudonym
    renewed = (await of(settings, CONSENTS, again["student"]))[-1]
    assert renewed.value is not None
    assert Consent.model_validate_json(renewed.value).valid_from == TODAY
    yesterday, now = mark(student, TODAY - timedelta(days=1)), mark(student)
    assert await statuses(client, "attendance", yesterday, now) == ["not_consented", "accepted"]


async def test_a_withdrawal_to_come_ends_the_run_on_the_day_before(
    client: httpx.AsyncClient, settings: IngestSettings
) -> None:
    student, pseudonym = await consented(client)
    tomorrow = TODAY + timedelta(days=1)
    assert await statuses(client, "consents", consent(student, revoked_on=tomorrow.isoformat())) == ["accepted"]
    last = (await of(settings, CONSENTS, pseudonym))[-1]
    assert last.value is not None
    assert Consent.model_validate_json(last.value).valid_through == TODAY


async def test_the_sweep_follows_the_replay_clock(
    client: httpx.AsyncClient, clock: Intake, settings: IngestSettings, rows: AsyncEngine
) -> None:
    await clock.set_replay_day(date(2021, 9, 1))
    await clock.sweep()
    later, expiring = new_id(), new_id()
    made = [
        consent(later, signed_on="2021-10-01"),
        consent(expiring, signed_on="2021-08-01", expires_on="2021-09-30"),
    ]
    answer = await post(client, "consents", *made)
    assert [result["status"] for result in answer["results"]] == ["accepted", "accepted"]
    assert "student" not in answer["results"][0]
    pseudonym = answer["results"][1]["student"]
    assert await statuses(client, "attendance", mark(later, date(2021, 9, 1))) == ["not_consented"]
    assert await statuses(client, "attendance", mark(expiring, date(2021, 9, 1))) == ["accepted"]

    await clock.set_replay_day(date(2021, 9, 30))
    assert await clock.sweep() == await clock.sweep()
    assert await visible(rows, pseudonym)
    assert not await clock.consents_change(date(2021, 9, 30))
    assert await clock.consents_change(date(2021, 10, 1))
    await clock.set_replay_day(date(2021, 10, 1))
    assert not await visible(rows, pseudonym)
    swept = await clock.sweep()
    assert not await clock.consents_change(date(2021, 10, 1))
    assert swept.ended == 1
    assert swept.began == (later,)
    assert [record.value is None for record in await of(settings, CONSENTS, pseudonym)] == [False, True]
    assert await statuses(client, "attendance", mark(later, date(2021, 10, 1))) == ["accepted"]
    # Nothing is left of the days before: with a renewal that comes late they count when they are handed in again.
    renewal = consent(expiring, agreement_id="renewed", signed_on="2021-09-01")
    assert await statuses(client, "consents", renewal) == ["accepted"]
    found = [mark(expiring, date(2021, 9, 30)), mark(expiring, date(2021, 10, 1))]
    assert await statuses(client, "attendance", *found) == ["accepted", "accepted"]


async def test_school_days_go_to_every_partition_and_a_close_follows_the_marks(
    client: httpx.AsyncClient, settings: IngestSettings
) -> None:
    school, (student, pseudonym) = new_id(), await consented(client)
    others = [mark(new_id(), school_id=school, status=status) for status in ("absent", "present", "absent")]
    await post(client, "attendance", mark(student, school_id=school), *others)
    day = {"school_id": school, "date": TODAY.isoformat(), "instructional": True}
    assert await statuses(client, "school-days", day, day) == ["accepted", "duplicate"]
    closed = {**day, "instructional": "", "reported": True}
    assert await statuses(client, "school-days", closed) == ["accepted"]
    assert await statuses(client, "school-days", closed, day) == ["duplicate", "duplicate"]

    partitions = set(range(settings.partitions))
    days = await of(settings, SCHOOL_DAYS, f"{school}|{TODAY.isoformat()}")
    assert {record.partition for record in days} == partitions
    last = SchoolDay.model_validate_json(days[-1].value or b"")
    assert (last.instructional, last.reported) == (True, True)

    closes = []
    ciphers = await ciphers_of(settings)
    at: dict[int, list[str]] = {}
    for record in await sent(settings.require_kafka(), MARKS):
        value = read_marks_record(record.value or b"", ciphers.get)
        if isinstance(value, DaysClosed) and any(close.school_id == school for close in value.closes):
            closes.append((record.partition, value.closes[0]))
            at.setdefault(record.partition, []).append("close")
        elif isinstance(value, MarkBatch) and any(one.student == pseudonym for one in value.marks):
            at.setdefault(record.partition, []).append("mark")
            counts = value.counts
    assert sorted(partition for partition, _ in closes) == sorted(partitions)
    assert ["mark", "close"] in at.values()
    final = closes[0][1].counts
    assert final is not None
    assert (final.absent, final.reported, closes[0][1].history) == (3, 4, False)
    assert [(one.school_id, one.absent, one.reported) for one in counts] == [(school, 3, 4)]


async def test_what_becomes_known_of_a_closed_day_reaches_every_partition_once(
    client: httpx.AsyncClient, intake: Intake, settings: IngestSettings
) -> None:
    school = new_id()
    first, late = (mark(new_id(), school_id=school, status="absent") for _ in range(2))
    await post(client, "attendance", first)
    await post(client, "school-days", {"school_id": school, "date": TODAY.isoformat(), "reported": True})
    for _ in range(2):
        await post(client, "attendance", late)
        await intake.sweep()

    told: dict[int, list[int]] = {}
    for record in await sent(settings.require_kafka(), MARKS):
        value = read_marks_record(record.value or b"", lambda _: None)
        if isinstance(value, DaysClosed):
            counts = [close.counts.absent for close in value.closes if close.school_id == school and close.counts]
            told.setdefault(record.partition, []).extend(counts)
    assert told == {partition: [1, 2] for partition in range(settings.partitions)}


async def test_an_import_replaces_a_days_sum_and_says_how_many_are_enrolled(intake: Intake, rows: AsyncEngine) -> None:
    school, day = new_id(), date(2016, 12, 5)
    students = [new_id() for _ in range(20)]
    marks = [MarkRow(s, school, day, "absent" if n < 5 else "present") for n, s in enumerate(students)]

    async def run() -> tuple[int, int, int]:
        counts = HeadCounts(fresh=True)
        spans = [EnrollmentRow(s, school, date(2016, 9, 1), None if n else day) for n, s in enumerate(students)]
        await intake.take_enrollments(spans, counts=counts)
        for start in range(0, 20, 7):
            await intake.take_marks(marks[start : start + 7], HandIn(run=1, history=True), counts=counts)
        await intake.close_days([Close(school, day, history=True)], counts=counts)
        async with rows.connect() as connection:
            query = text("SELECT absent, seen, expected FROM ingest.school_days WHERE school_id = :s")
            absent, seen, expected = (await connection.execute(query, {"s": school})).one()
            return absent, seen, expected

    assert await run() == (5, 20, 20)
    assert await run() == (5, 20, 20)


async def test_a_file_taken_again_counts_nothing_twice(intake: Intake, client: httpx.AsyncClient) -> None:
    student, _ = await consented(client)
    school = new_id()
    marks = [MarkRow(student, school, TODAY - timedelta(days=n), "tardy") for n in range(90)]
    assert tally(await intake.take_marks(marks, HandIn(run=1))) == {"accepted": 90}
    assert tally(await intake.take_marks(marks, HandIn(run=1))) == {"duplicate": 90}


async def test_siblings_share_a_partition_and_the_household_is_a_pseudonym(
    intake: Intake, settings: IngestSettings, rows: AsyncEngine
) -> None:
    children, household = [new_id(), new_id(), new_id()], new_id()
    given = [one for one in map(parse_consent, map(consent, children)) if isinstance(one, ConsentRow)]
    outcomes = await intake.take_consents(given, dict.fromkeys(children, household))
    await intake.take_students([StudentRow(child, "Planted", "Name", household_id=household) for child in children])
    await intake.take_enrollments([EnrollmentRow(child, "0455", date(2016, 9, 1)) for child in children])
    keys = {outcome.student for outcome in outcomes}
    records = [r for r in await sent(settings.require_kafka(), CONSENTS, ENROLLMENTS) if r.key in keys]
    assert len(records) == 6
    assert len({record.partition for record in records}) == 1
    async with rows.connect() as connection:
        query = text("SELECT DISTINCT slot, household FROM ingest.students WHERE student_id = ANY (:ids)")
        slot, pseudonym = (await connection.execute(query, {"ids": children})).one()
    assert partition_of(slot, settings.partitions) == records[0].partition
    assert household not in pseudonym
    told = [one for key in keys if key for one in await of(settings, ENROLLMENTS, key)]
    assert [Enrollment.model_validate_json(one.value or b"").household for one in told] == [pseudonym] * 3


async def test_no_name_and_no_raw_id_leaves(
    client: httpx.AsyncClient, intake: Intake, settings: IngestSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    student, _ = await consented(client)
    stranger, household = new_id(), new_id()
    await intake.take_students([StudentRow(student, "Planted", "Surname", household_id=household)])
    answers = [
        await post(
            client, "consents", consent(stranger, records="housing_status"), consent(student, signed_on="Planted")
        ),
        await post(client, "enrollments", {"student_id": student, "school_id": "0455", "entry_date": student}),
        await post(
            client,
            "attendance",
            mark(student, reason="Planted Surname is ill", section_id="7A"),
            mark(stranger),
            mark(stranger, status=f"{stranger} Planted"),
            mark(student, recorded_at=student),
            {"Planted": student},
        ),
    ]
    bodies = [json.dumps(answer) for answer in answers]
    for content in (f'{{"student_id": "{student}"', f'"{student}"'):
        response = await client.post("/v1/attendance", content=content, headers={"content-type": "application/json"})
        assert response.headers["content-type"] == "application/problem+json"
        bodies.append(response.text)
    bodies.append((await client.get("/metrics")).text)
    assert await sent(settings.require_kafka(), REJECTED)
    records = b"".join((r.key or "").encode() + (r.value or b"") for r in await sent(settings.require_kafka()))
    for secret in (student, stranger, household, "Planted", "Surname", "Guardian"):
        assert secret.encode() not in records
        assert not any(secret in body for body in bodies)
        assert secret not in caplog.text


async def test_without_kafka_nothing_is_accepted_and_a_withdrawal_still_hides(
    client: httpx.AsyncClient, settings: IngestSettings, rows: AsyncEngine, unused_tcp_port: int, identity: Identity
) -> None:
    student, pseudonym = await consented(client)
    cut_off = settings.model_copy(update={"kafka": f"127.0.0.1:{unused_tcp_port}", "kafka_wait_seconds": 1.0})
    app = create_app(cut_off)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://ingest", auth=identity.auth("district")) as alone,
    ):
        refused = await alone.post("/v1/attendance", json=mark(student))
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert int(refused.headers["retry-after"]) > 0
        assert (await alone.get("/readyz")).status_code == 503
        withdrawal = consent(student, revoked_on=TODAY.isoformat())
        assert (await alone.post("/v1/consents", json=withdrawal)).status_code == 503
    assert not await visible(rows, pseudonym)
    async with Intake.open(settings) as intake:
        await intake.sweep()
    assert [record.value is None for record in await of(settings, CONSENTS, pseudonym)] == [False, True]
    assert await statuses(client, "consents", withdrawal) == ["duplicate"]


async def test_the_api_is_documented(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for path in ("attendance", "consents", "enrollments", "school-days"):
        operation = document["paths"][f"/v1/{path}"]["post"]
        assert operation["requestBody"]["content"]["application/json"]["examples"]
        assert operation["responses"]["200"]["content"]["application/json"]["example"]["results"]
