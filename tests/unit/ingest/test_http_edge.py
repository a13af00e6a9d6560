"""The HTTP edge over an intake in memory: what is read, what is answered, what goes to the dead letters."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.ingest import app as ingest_app
from services.ingest.patience import UnavailableError
from services.ingest.publish.dead_letters import Refused
from services.ingest.rows.outcomes import ACCEPTED, DUPLICATE, NOT_CONSENTED, Outcome
from services.ingest.rows.parse import ConsentRow, MarkRow
from services.ingest.settings import IngestSettings
from services.ingest.sweep import Swept
from services.ingest.take.hand_in import HandIn
from services.platform import trace
from services.platform.keys.master import MasterKeyLostError
from tests.identity import Identity

MARK = {"student_id": "604821", "school_id": "0455", "date": "2016-12-05", "status": "absent"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class InMemory:
    """An intake that takes each row once; of students whose id begins with `x` there is no consent."""

    def __init__(self) -> None:
        self.taken: list[MarkRow] = []
        self.refused: list[Refused] = []
        self.traces: list[str] = []
        self.away = self.locked = self.behind = False

    async def start(self) -> Swept:
        if self.behind:
            raise UnavailableError("Kafka")
        return Swept()

    sweep = start

    async def take_consents(self, rows: Sequence[ConsentRow]) -> list[Outcome]:
        return [ACCEPTED for _ in rows]

    async def check_kafka(self) -> str | None:
        return "Kafka does not answer." if self.away else None

    async def check_database(self) -> str | None:
        return None

    async def take_marks(self, rows: Sequence[MarkRow], hand_in: HandIn) -> list[Outcome]:
        assert hand_in.live
        if self.away:
            raise UnavailableError("Kafka")
        if self.locked:
            raise MasterKeyLostError("The master key /secret/place is not there.")
        self.traces += [value.decode() for _, value in trace.headers()]
        return [self._take(row) for row in rows]

    def _take(self, row: MarkRow) -> Outcome:
        if row.student_id.startswith("x"):
            return NOT_CONSENTED["unknown_student"]
        if row in self.taken:
            return DUPLICATE
        self.taken.append(row)
        return ACCEPTED

    async def reject(self, refused: Sequence[Refused], source: str) -> None:
        assert source == "http"
        self.refused += refused


@pytest.fixture
def intake(monkeypatch: pytest.MonkeyPatch) -> InMemory:
    found = InMemory()

    @asynccontextmanager
    async def opened(_: IngestSettings) -> AsyncIterator[InMemory]:
        yield found

    monkeypatch.setattr(ingest_app.Intake, "open", opened)
    return found


@pytest_asyncio.fixture
async def client(
    intake: InMemory,  # noqa: ARG001 - it is opened
    tmp_path: Path,
    identity: Identity,
) -> AsyncIterator[httpx.AsyncClient]:
    settings = IngestSettings(data_dir=tmp_path, kafka="nowhere:1", database=SecretStr("postgresql://nowhere"))
    app = ingest_app.create_app(identity.of(settings))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://ingest", auth=identity.auth("district")
        ) as found:
            yield found


async def test_each_entry_has_its_outcome_in_order(client: httpx.AsyncClient, intake: InMemory) -> None:
    entries = [MARK, MARK, {**MARK, "student_id": "x1"}, {**MARK, "status": "gone"}, 7]
    answer = (await client.post("/v1/attendance", json=entries)).json()

    assert [one["status"] for one in answer["results"]] == [
        "accepted",
        "duplicate",
        "not_consented",
        "rejected",
        "rejected",
    ]
    assert {name: answer[name] for name in ("accepted", "duplicate", "rejected", "not_consented")} == {
        "accepted": 1,
        "duplicate": 1,
        "rejected": 2,
        "not_consented": 1,
    }
    assert [(one.line, one.field) for one in intake.refused] == [(3, "status"), (4, None)]
    assert "gone" not in json.dumps(answer)


async def test_lines_of_json_are_read_with_a_byte_order_mark(client: httpx.AsyncClient, intake: InMemory) -> None:
    lines = b"\xef\xbb\xbf" + b"\n".join(json.dumps({**MARK, "section_id": str(n)}).encode() for n in range(3)) + b"\n{"
    answer = await client.post("/v1/attendance", content=lines, headers={"Content-Type": "application/x-ndjson"})

    assert answer.json()["accepted"] == 3
    assert answer.json()["rejected"] == 1
    assert [row.section_id for row in intake.taken] == ["0", "1", "2"]


async def test_what_is_away_is_a_503_that_says_when_to_come_again(client: httpx.AsyncClient, intake: InMemory) -> None:
    intake.away = True
    answer = await client.post("/v1/attendance", json=MARK)

    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.headers["Retry-After"] == ingest_app.RETRY_AFTER_SECONDS
    assert "duplicate" in answer.json()["detail"]
    assert (await client.get("/readyz")).status_code == httpx.codes.SERVICE_UNAVAILABLE


async def test_before_it_has_caught_up_withdrawals_are_taken_and_nothing_else(
    intake: InMemory, tmp_path: Path, identity: Identity
) -> None:
    intake.behind = True
    settings = IngestSettings(data_dir=tmp_path, kafka="nowhere:1", database=SecretStr("postgresql://nowhere"))
    app = ingest_app.create_app(identity.of(settings))
    revoking = {"student_id": "604821", "agreement_id": "DSA", "revoked_on": "2016-12-05"}
    consent = {
        "student_id": "604821",
        "agreement_id": "DSA",
        "signed_by": "A Guardian",
        "relationship": "parent",
        "signed_on": "2016-12-06",
        "method": "paper",
        "records": ["attendance"],
        "purpose": "homelessness-prevention",
        "recipients": ["project-hope"],
    }
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://ingest", auth=identity.auth("district")
        ) as client,
    ):
        told = [await client.post("/v1/consents", json=given) for given in (revoking, [revoking, consent])]
        told.append(await client.post("/v1/attendance", json=MARK))
    assert [one.status_code for one in told] == [200, 503, 503]


async def test_without_the_master_key_it_is_said_and_the_operator_is_told_where(
    client: httpx.AsyncClient, intake: InMemory, caplog: pytest.LogCaptureFixture
) -> None:
    intake.locked = True
    answer = await client.post("/v1/attendance", json=MARK)

    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert ("master key" in answer.json()["detail"], "/secret/place" in answer.text) == (True, False)
    assert "/secret/place" in caplog.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [("{", "application/json", 400), ("7", "application/json", 400), ("a", "text/csv", 415)],
)
async def test_a_body_that_cannot_be_read_takes_nothing(
    client: httpx.AsyncClient, intake: InMemory, content: str, kind: str, status: int
) -> None:
    answer = await client.post("/v1/attendance", content=content, headers={"Content-Type": kind})

    assert answer.status_code == status
    assert (intake.taken, intake.refused) == ([], [])


async def test_what_follows_from_a_request_has_its_trace(client: httpx.AsyncClient, intake: InMemory) -> None:
    await client.post("/v1/attendance", json=MARK, headers={"traceparent": TRACE})

    assert [found.split("-")[1] for found in intake.traces] == [TRACE.split("-")[1]]
