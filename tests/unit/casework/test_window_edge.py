"""The route of a window, over a database and workers in memory: what is asked, and what is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import httpx
import pytest
from fastapi import FastAPI

from services.casework.quota import StudentQuota
from services.casework.windows.routes import window_router
from services.platform.http import add_problem_handlers
from services.platform.identity.edge import add_identity
from services.platform.settings import Settings
from tests.identity import Identity
from tests.kept_audit import KeptAudit

KNOWN, UNKNOWN = "p" * 22, "u" * 22
STATEMENT = SimpleNamespace(
    number=12,
    about=date(2016, 12, 9),
    statement="She was at the doctor's.",
    asked_on=date(2016, 12, 12),
    decided_on=None,
    decision=None,
    note=None,
)


class Row(NamedTuple):
    student_id: str
    consent_from: date
    agency: str


class InMemory:
    """Students of whom a consent is in force: the district's id by pseudonym."""

    def __init__(self) -> None:
        self.live = ["dearborn", "winthrop"]
        self.students = {KNOWN: Row("D-1", date(2016, 9, 1), "hope")}

    async def execute(self, statement: Any, given: dict[str, str] | None = None) -> Any:
        if given is not None:
            return [STATEMENT] if given["student"] == KNOWN else []
        self._found = self.students.get(statement.compile().params["pseudonym_1"])
        return self

    def one_or_none(self) -> Row | None:
        return self._found

    async def scalars(self, _: Any) -> list[str]:
        """Whose attendance flows to the agency."""
        return self.live

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[InMemory]:
        yield self


Asked = Callable[[httpx.Request], httpx.Response]


async def window(
    identity: Identity,
    student: str,
    *workers: Asked,
    schools: Sequence[str] | None = None,
    audit: KeptAudit = KeptAudit(),  # noqa: B008 - where nobody asks what was written
) -> httpx.Response:
    """What the route answers when the workers answer so."""
    by_host = {f"worker{number}": worker for number, worker in enumerate(workers)}
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda request: by_host[request.url.host](request))
    ) as asking:
        app = FastAPI()
        add_problem_handlers(app)
        app.state.audit = audit
        add_identity(app, identity.of(Settings()))
        urls = tuple(f"http://{host}" for host in by_host)
        app.include_router(window_router(cast("Any", InMemory()), StudentQuota(1), asking, urls))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://casework", auth=identity.auth(schools=schools)
        ) as client:
            return await client.get(f"/v1/students/{student}/window")


def has(request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        200,
        json={
            "student": request.url.path.split("/")[3],
            "school_id": "dearborn",
            "absent_days": 9,
            "marks": [{"school_id": "dearborn"}, {"school_id": "winthrop"}, {"school_id": "king"}],
        },
    )


def has_not(_: httpx.Request) -> httpx.Response:
    return httpx.Response(404)


def recovering(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503, headers={"Retry-After": "7"})


async def test_the_owner_answers_under_the_districts_id_and_nothing_is_cached(identity: Identity) -> None:
    audit = KeptAudit()
    answer = await window(identity, KNOWN, has_not, has, audit=audit)
    assert answer.status_code == 200
    [entry] = audit.entries
    assert (entry.action, entry.students) == ("GET /v1/students/{student}/window", {KNOWN: date(2016, 9, 1)})
    marks = [{"school_id": "dearborn"}, {"school_id": "winthrop"}]
    assert answer.json() == {
        "student": KNOWN,
        "student_id": "D-1",
        "school_id": "dearborn",
        "absent_days": 9,
        "marks": marks,
        "statements": [
            {
                "number": 12,
                "about": "2016-12-09",
                "statement": "She was at the doctor's.",
                "asked_on": "2016-12-12",
                "decided_on": None,
                "decision": None,
                "note": None,
            }
        ],
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_without_a_consent_no_worker_is_asked(identity: Identity) -> None:
    answer = await window(identity, UNKNOWN)
    assert (answer.status_code, answer.json()["title"]) == (404, "No such student")


@pytest.mark.parametrize("student", ["604821", "p" * 21, "p" * 23, "p" * 21 + "%2F"])
async def test_what_is_no_pseudonym_is_refused_unseen(identity: Identity, student: str) -> None:
    answer = await window(identity, student)
    assert answer.status_code in {404, 422}
    assert student not in answer.text


async def test_of_whom_nothing_is_recorded_there_is_no_window(identity: Identity) -> None:
    assert (await window(identity, KNOWN, has_not, has_not)).json()["title"] == "No window"


async def test_while_a_worker_that_may_have_it_recovers_it_is_to_be_asked_again(identity: Identity) -> None:
    answer = await window(identity, KNOWN, has_not, recovering)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_of_another_school_there_is_no_such_student(identity: Identity) -> None:
    answer = await window(identity, KNOWN, has, schools=["winthrop"])
    assert answer.json() == (await window(identity, UNKNOWN)).json()
    assert (await window(identity, KNOWN, has, schools=["dearborn"])).json()["marks"] == [{"school_id": "dearborn"}]


async def test_of_a_school_that_is_not_shared_any_more_there_is_no_window(identity: Identity) -> None:
    def elsewhere(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"school_id": "king", "absent_days": 9, "marks": []})

    assert (await window(identity, KNOWN, elsewhere)).json() == (await window(identity, UNKNOWN)).json()
