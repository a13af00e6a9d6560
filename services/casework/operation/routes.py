"""`GET /v1/lag`: what `firstbell lag` shows."""

from __future__ import annotations

from typing import Annotated, Any, Final

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from services.platform.http import ProblemError
from services.platform.identity.caller import Caller
from services.platform.identity.guard import may
from services.platform.lag import read_lag

TIMEOUT_SECONDS: Final = 10.0
AWAY: Final[dict[int | str, dict[str, Any]]] = {503: {"description": "Kafka does not answer."}}


class GroupLag(BaseModel):
    """A consumer group's lag on one partition; null is unknown."""

    model_config = ConfigDict(from_attributes=True)

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int | None
    lag: int | None
    seconds_behind: float | None


class LagTable(BaseModel):
    """Every consumer group on every partition."""

    partitions: list[GroupLag]


def lag_router(kafka: str) -> APIRouter:
    """The route of the lag."""
    router = APIRouter(prefix="/v1/lag", tags=["operations"])

    @router.get("", summary="How far every consumer group is behind", responses=AWAY)
    async def lag(_: Annotated[Caller, may("operator", "service")], response: Response) -> LagTable:
        response.headers["Cache-Control"] = "no-store"
        try:
            found = await read_lag(kafka, timeout=TIMEOUT_SECONDS)
        except (KafkaError, OSError, TimeoutError):
            raise ProblemError(503, "Not available now", "Kafka does not answer.", {"Retry-After": "5"}) from None
        return LagTable(partitions=[GroupLag.model_validate(each) for each in found])

    return router
