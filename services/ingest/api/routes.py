"""The four routes; each takes one entry, an array, or NDJSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from services.ingest.api import documents
from services.ingest.api.answers import Answer, answer
from services.ingest.api.bodies import entries
from services.ingest.api.entries import Kind, take_entries
from services.ingest.intake import Intake
from services.ingest.rows.outcomes import Outcome
from services.ingest.rows.parse import ConsentRow, parse_consent, parse_enrollment, parse_mark, parse_school_day
from services.ingest.settings import IngestSettings
from services.ingest.take.hand_in import HandIn
from services.platform import trace
from services.platform.identity.guard import may

RowT = TypeVar("RowT")


def intake_router(intake: Callable[[], Intake], opened: Callable[[], Intake], settings: IngestSettings) -> APIRouter:
    """The routes, over the intake of the running service.

    A withdrawal is taken as soon as it is `opened`: it waits for nothing. Who consents waits until it has caught up: a
    database that was restored would give the pseudonym of before once more, and erase it once more.
    """
    router = APIRouter(prefix="/v1", tags=["intake"], dependencies=[may("district")])

    async def take(request: Request, kind: Kind[RowT], by: Callable[[], Intake]) -> StreamingResponse:
        trace.begin(request.headers.get(trace.HEADER))
        outcomes: list[Outcome] = []
        async for some in entries(request, settings.max_body_bytes, settings.max_line_bytes):
            outcomes += await take_entries(by(), kind, some, len(outcomes))
        return StreamingResponse(answer(outcomes), media_type="application/json")

    def add(path: str, document: documents.RouteDocument, kind: Kind[RowT], by: Callable[[], Intake] = intake) -> None:
        async def endpoint(request: Request) -> StreamingResponse:
            return await take(request, kind, by)

        router.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            summary=document.summary,
            description=document.description,
            operation_id=document.operation_id,
            response_model=None,
            responses={200: {"model": Answer, **document.answer()}, **documents.PROBLEMS},
            openapi_extra={"requestBody": document.body()},
        )

    async def take_consents(by: Intake, rows: Sequence[ConsentRow]) -> list[Outcome]:
        only_withdraw = all(row.revoked_on is not None for row in rows)
        return await (by if only_withdraw else intake()).take_consents(rows)

    marks = Kind(parse_mark, lambda i, rows: i.take_marks(rows, HandIn(live=True)), counted=True)
    add("/attendance", documents.ATTENDANCE, marks)
    add("/consents", documents.CONSENTS, Kind(parse_consent, take_consents), opened)
    add("/enrollments", documents.ENROLLMENTS, Kind(parse_enrollment, lambda i, rows: i.take_enrollments(rows)))
    add("/school-days", documents.SCHOOL_DAYS, Kind(parse_school_day, lambda i, rows: i.take_school_days(rows)))
    return router
