"""Cases, from alerts in Kafka to what people do about them, on a real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.casework.app import create_app
from services.casework.cases.sweep import CaseSweep
from services.casework.changes.feed import ChangeFeed
from services.casework.settings import CaseworkSettings
from services.contracts.alerts import AlertEvent
from services.platform.background import Background
from services.platform.identity.caller import Caller
from tests.alert_events import event, reason
from tests.identity import Identity
from tests.integration.conftest import Students
from tests.integration.running import producing, running, say_death, send, until

Case = dict[str, Any]


@dataclass
class Desk:
    """Somebody at a desk, and what reaches it."""

    app: FastAPI
    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    students: Students
    identity: Identity

    @asynccontextmanager
    async def of(self, subject: str, role: Any = "caseworker", **more: Any) -> AsyncIterator[httpx.AsyncClient]:
        auth = self.identity.auth(role, subject=subject, **more)
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app", auth=auth) as client:
            yield client

    async def knows(self, *events: AlertEvent) -> None:
        await send(self.producer, *events)

        async def all_there() -> bool:
            answers = [await self.client.get(f"/v1/alerts/{one.alert_id}") for one in events]
            return all(
                a.is_success and len(a.json()["timeline"]) >= e.seq for a, e in zip(answers, events, strict=True)
            )

        await until(all_there)

    async def case(self, *, level: Any = "watch", children: int = 1) -> Case:
        """A household's new case."""
        household = uuid4().hex[:22]
        raised = [
            event((await self.students.consented())[0], level=level, household=household) for _ in range(children)
        ]
        await self.knows(*raised)
        return await self.read(raised[0].alert_id)

    async def read(self, case: object) -> Case:
        answer = await self.client.get(f"/v1/cases/{case}")
        assert answer.status_code == 200, answer.text
        found: Case = answer.json()
        assert answer.headers["ETag"] == f'"{found["version"]}"'
        return found

    async def listed(self, **query: Any) -> list[Case]:
        answer = await self.client.get("/v1/cases", params={"limit": 500, **query})
        assert answer.status_code == 200, answer.text
        found: list[Case] = answer.json()["items"]
        return found


async def do(
    client: httpx.AsyncClient, case: Case, action: str, *, key: str | None = None, **body: Any
) -> httpx.Response:
    headers = {"If-Match": f'"{case["version"]}"'} | ({} if key is None else {"Idempotency-Key": key})
    return await client.post(f"/v1/cases/{case['id']}/actions", json={"action": action, **body}, headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(
    kafka_bootstrap: str, casework_url: str, master_file: Path, students: Students, identity: Identity
) -> AsyncIterator[Desk]:
    settings = CaseworkSettings(kafka=kafka_bootstrap, database=SecretStr(casework_url), master_key_file=master_file)
    app = create_app(identity.of(settings), Background(say_death))
    async with running(app, identity.auth(subject="ann")) as client, producing(kafka_bootstrap) as producer:
        yield Desk(app, client, producer, students, identity)


async def test_a_household_is_one_case_with_the_alerts_of_each_child(desk: Desk) -> None:
    case = await desk.case(children=2)
    assert case["state"] == "new"
    assert case["number"].startswith("FB-")
    assert {len(student["alerts"]) for student in case["students"]} == {1}
    assert len(case["students"]) == 2
    assert [entry["what"] for entry in case["timeline"]] == ["AlertRaised", "AlertRaised"]
    assert case["id"] in {one["id"] for one in await desk.listed(state="new")}
    second = next(alert["id"] for alert in case["alerts"] if alert["id"] != case["id"])
    assert (await desk.read(second))["id"] == case["id"]


async def test_of_two_who_take_a_case_one_has_it_and_the_other_is_told_who(desk: Desk) -> None:
    case = await desk.case()
    async with desk.of("bob") as bob:
        answers = await asyncio.gather(do(desk.client, case, "take"), do(bob, case, "take"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [winner] = [answer.json()["owner"] for answer in answers if answer.status_code == 200]
    [loser] = [answer for answer in answers if answer.status_code == 409]
    assert loser.json()["holder"] == winner
    assert case["id"] in {one["id"] for one in await desk.listed(state="taken", owner=winner)}


async def test_a_retry_after_a_lost_answer_does_it_once(desk: Desk) -> None:
    case = await desk.case()
    first = await do(desk.client, case, "contact", key="k1", result="reached", kind="call")
    again = await do(desk.client, case, "contact", key="k1", result="reached", kind="call")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    other = await do(desk.client, case, "contact", key="k1", result="not_reached")
    assert other.status_code == 422
    assert [entry["what"] for entry in again.json()["timeline"]].count("contact") == 1


async def test_what_was_decided_upon_something_older_is_refused(desk: Desk) -> None:
    case = await desk.case()
    taken = (await do(desk.client, case, "take")).json()
    stale = await do(desk.client, case, "contact", result="reached")
    assert stale.status_code == 412
    assert stale.headers["ETag"] == f'"{taken["version"]}"'
    bare = await desk.client.post(f"/v1/cases/{case['id']}/actions", json={"action": "take"})
    assert bare.status_code == 428


async def test_undo_brings_back_what_was_and_the_label_goes(desk: Desk, engine: AsyncEngine) -> None:
    case = await desk.case(children=2)
    closed = (await do(desk.client, case, "close", outcome="not_at_risk", note="All is well.")).json()
    assert (closed["state"], closed["owner"], closed["may_undo"]) == ("closed", "ann", True)
    assert {alert["status"] for alert in closed["alerts"]} == {"closed"}
    async with desk.of("bob") as bob:
        assert (await do(bob, closed, "undo")).status_code == 409
    back = (await do(desk.client, closed, "undo")).json()
    assert (back["state"], back["owner"], back["may_undo"]) == ("new", None, False)
    assert {alert["status"] for alert in back["alerts"]} == {"open"}
    assert back["timeline"][-2]["undone"]
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT action, of_case ->> 'undoes' FROM casework.actions WHERE alert_id = :a ORDER BY position"),
            {"a": case["id"]},
        )
        assert [tuple(row) for row in rows] == [("closed", None), ("undone", "closed")]


async def test_a_correction_withdraws_the_case_and_a_later_alert_opens_it_again(desk: Desk) -> None:
    case = await desk.case()
    student = case["students"][0]["student"]
    await do(desk.client, case, "take")
    await desk.knows(
        event(student, "AlertWithdrawn", seq=2, because="correction", household=await _family(desk, case["id"]))
    )
    withdrawn = await desk.read(case["id"])
    assert withdrawn["state"] == "withdrawn"
    assert withdrawn["timeline"][-1]["what"] == "withdrawn"
    assert case["id"] in {one["id"] for one in await desk.listed(state="closed")}


async def _family(desk: Desk, case: str) -> str:
    async with desk.students._engine.connect() as connection:
        query = text("SELECT household FROM casework.alerts WHERE id = :id")
        return str(await connection.scalar(query, {"id": case}))


async def test_who_may_see_one_school_sees_one_child_and_acts_for_the_household(desk: Desk) -> None:
    household = uuid4().hex[:22]
    here, there = [(await desk.students.consented())[0] for _ in range(2)]
    await desk.knows(
        event(here, household=household, school_id="burke"),
        event(there, "AlertRaised", "urgent", household=household, school_id="elsewhere", reasons=[reason("urgent")]),
    )
    whole = await desk.read(event(here).alert_id)
    assert whole["level"] == "urgent"
    async with desk.of("bea", schools=["burke"]) as bea:
        seen = (await bea.get(f"/v1/cases/{whole['id']}")).json()
        assert [student["student"] for student in seen["students"]] == [here]
        assert seen["level"] == "watch"
        assert (await do(bea, seen, "close", outcome="helped")).status_code == 200
    async with desk.of("zoe", schools=["nowhere"]) as zoe:
        assert (await zoe.get(f"/v1/cases/{whole['id']}")).status_code == 404
        assert (await do(zoe, whole, "take")).status_code == 404
    assert {alert["status"] for alert in (await desk.read(whole["id"]))["alerts"]} == {"closed"}


async def test_another_agency_sees_nothing(desk: Desk) -> None:
    case = await desk.case()
    async with desk.of("dan", agency="dsni") as dan:
        assert (await dan.get(f"/v1/cases/{case['id']}")).status_code == 404
        assert (await dan.get("/v1/cases")).json()["items"] == []


async def test_take_against_withdrawal_has_one_outcome(desk: Desk, engine: AsyncEngine) -> None:
    case = await desk.case()
    student = case["students"][0]["student"]
    taking, _ = await asyncio.gather(do(desk.client, case, "take"), desk.students.end_consent(student))
    assert taking.status_code in {200, 404}
    assert (await desk.client.get(f"/v1/cases/{case['id']}")).status_code == 404

    async def is_emptied() -> bool:
        async with engine.connect() as connection:
            query = text(
                "SELECT c.family IS NULL AND c.owner IS NULL AND NOT EXISTS (SELECT FROM casework.case_actions a "
                "WHERE a.case_id = c.id) FROM casework.cases c WHERE id = :id"
            )
            return bool(await connection.scalar(query, {"id": case["id"]}))

    await until(is_emptied)


async def test_of_a_household_one_child_may_go_and_what_was_written_with_it(desk: Desk) -> None:
    case = await desk.case(children=2)
    noted = (await do(desk.client, case, "contact", result="reached", note="Planted words")).json()
    await desk.students.end_consent(case["students"][1]["student"])

    async def is_alone() -> bool:
        now = await desk.read(case["id"])
        return len(now["students"]) == 1 and all(entry["note"] is None for entry in now["timeline"])

    await until(is_alone)
    assert (await desk.read(case["id"]))["owner"] == noted["owner"]


async def test_without_a_contact_a_case_is_in_the_queue_again_and_labels_know(desk: Desk, engine: AsyncEngine) -> None:
    case = await desk.case()
    taken = (await do(desk.client, case, "take")).json()
    async with engine.begin() as connection:
        late = text("UPDATE casework.cases SET contact_by = contact_by - 400 WHERE id = :id")
        await connection.execute(late, {"id": case["id"]})
    await CaseSweep(desk.app.state.sessions, lambda _owner, _day: False, lambda: None).look()
    back = await desk.read(case["id"])
    assert (back["state"], back["owner"], back["returned"]) == ("new", None, "no_contact")
    assert back["version"] == taken["version"] + 1
    assert back["timeline"][-1]["what"] == "no_contact"
    async with engine.connect() as connection:
        query = text("SELECT action FROM casework.actions WHERE alert_id = :id ORDER BY position")
        assert list(await connection.scalars(query, {"id": case["id"]})) == ["taken", "returned"]


async def test_what_is_done_about_one_alert_by_the_older_route_is_done_about_its_case(desk: Desk) -> None:
    case = await desk.case(children=2)
    first, second = (alert["id"] for alert in case["alerts"])
    taken = await desk.client.post(f"/v1/alerts/{first}/actions", json={"action": "taken"})
    assert taken.status_code == 201
    assert (await desk.read(case["id"]))["owner"] == "ann"
    for alert, state in ((first, "taken"), (second, "closed")):
        closing = {"action": "closed", "outcome": "not_homeless"}
        assert (await desk.client.post(f"/v1/alerts/{alert}/actions", json=closing)).status_code == 201
        assert (await desk.read(case["id"]))["state"] == state


async def test_a_referral_is_for_a_colleague_to_answer(desk: Desk) -> None:
    case = await desk.case()
    referred = (await do(desk.client, case, "refer", to="crisis_intervention", note="Tonight.")).json()
    assert (await do(desk.client, referred, "accept_referral")).status_code == 403
    async with desk.of("bob") as bob:
        waiting = (await bob.get("/v1/cases", params={"state": "referred", "limit": 500})).json()["items"]
        assert case["id"] in {one["id"] for one in waiting}
        accepted = await do(bob, referred, "accept_referral")
        assert (accepted.status_code, accepted.json()["owner"]) == (200, "bob")
    async with desk.of("pat", "steward", agency=None) as pat:
        refused = await do(pat, accepted.json(), "take")
        assert refused.status_code == 403


async def test_filters_and_pages(desk: Desk) -> None:
    cases = [await desk.case(level=level) for level in ("watch", "urgent", "elevated")]
    wanted = {case["id"] for case in cases}
    by_level = [case["level"] for case in await desk.listed(order="level") if case["id"] in wanted]
    assert by_level == ["urgent", "elevated", "watch"]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = (await desk.client.get("/v1/cases", params=query)).json()
        seen += [case["id"] for case in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert wanted <= set(seen)
    counts = (await desk.client.get("/v1/cases/counts")).json()
    assert counts["new"] == len(await desk.listed(state="new"))
    assert (await desk.client.get("/v1/cases", params={"cursor": "nonsense"})).status_code == 400


async def test_what_changes_is_told_by_ids_alone(desk: Desk) -> None:
    feed: ChangeFeed = desk.app.state.feed
    caller = Caller("ann", "caseworker", "project-hope", None, None, datetime.max.replace(tzinfo=UTC))
    stream = feed.subscribe(caller, None)
    following = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    case = await desk.case()
    seen = {await following}
    while not any(str(change.case) == case["id"] for change in seen):
        seen = {await anext(stream)}
    await desk.students.end_consent(case["students"][0]["student"])
    async with asyncio.timeout(5):
        while True:
            change = await anext(stream)
            if str(change.case) == case["id"] and change.kind == "gone":
                break
    await stream.aclose()
