"""Who was raised to elevated or above, and by what: read from the stream of alert events."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.alerts import AlertEvent, Reason
from services.contracts.sealed import UnsealError
from services.contracts.topics import ALERTS
from services.ingest.intake import SERVICE as INGEST
from services.platform.database import make_engine
from services.platform.kafka import make_consumer
from services.platform.keys.master import MasterKeys
from services.platform.keys.opening import NoEvent, open_events
from services.platform.settings import Settings

Origin = Literal["rules", "model", "both"]
ORIGINS: Final[tuple[Origin, ...]] = ("rules", "model", "both")
_WORDS: Final[dict[Origin, str]] = {"rules": "rules alone", "model": "the model alone", "both": "both"}
AT_ONCE: Final = 1_000
_WEEKS = text("SELECT weeks FROM ingest.figures")
_MODEL: Final = "model"
"""The reason that is the score; those of its parts begin with this and an underscore."""


async def alert_events(settings: Settings) -> AsyncIterator[AlertEvent]:
    """All of `alerts.v1` up to now but what was erased; the events of one alert are in order.

    The database is asked as ingest, who makes the keys. Raises `UnsealError` for what is no sealed event.
    """
    masters, engine = MasterKeys.of(settings), make_engine(settings.require_database(), service=INGEST, pool_size=1)
    consumer = make_consumer(settings.require_kafka(), ALERTS.name, group=None)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        left = sum(ends.values()) - sum((await consumer.beginning_offsets(consumer.assignment())).values())
        while left:
            batches = await consumer.getmany(timeout_ms=1000, max_records=min(left, AT_ONCE))
            values = [record.value or b"" for batch in batches.values() for record in batch]
            left -= len(values)
            async with engine.connect() as connection:
                opened = await open_events(connection, masters, ALERTS, AlertEvent.model_validate_json, values)
            for each in opened:
                if isinstance(each, NoEvent):
                    raise UnsealError(f"an alert cannot be read: {each.reason}")
                if each is not None:
                    yield each
    finally:
        await consumer.stop()
        await engine.dispose()


def is_new(event: AlertEvent) -> bool:
    """Whether the event takes its student from below to elevated or urgent."""
    raising = event.type in ("AlertRaised", "AlertLevelChanged")
    return raising and event.level != "watch" and event.previous_level in (None, "watch")


def origin(reasons: Iterable[Reason]) -> Origin:
    """What gave the level: the model's score, rules that hold, or both."""
    by_score = by_rule = False
    for reason in reasons:
        if reason.rule == _MODEL:
            by_score = by_score or reason.level != "watch"
        elif not reason.rule.startswith(f"{_MODEL}_"):
            by_rule = True
    return "both" if by_score and by_rule else "model" if by_score else "rules"


@dataclass(frozen=True, slots=True)
class NewAlerts:
    """What rules and model raised to elevated or above, and the places that they had."""

    by: dict[Origin, int]
    weeks: int
    """Weeks with school that are over."""
    per_week: float | None
    """None before the first week is over."""
    capacity: int | None
    """Places a week; None when the rules' levels hold."""
    model: str | None
    """None when the rules go on alone."""
    simulated: bool | None
    """Whether the model was trained on simulated data alone."""
    problem: str | None = None
    """Why the rules go on alone."""

    @classmethod
    async def read(cls, engine: AsyncEngine, settings: Settings, client: httpx.AsyncClient) -> NewAlerts:
        """As Kafka and the database of ingest's settings, and the worker, whose client it is, have it."""
        counts = Counter([origin(event.reasons) async for event in alert_events(settings) if is_new(event)])
        async with engine.connect() as connection:
            weeks: int = (await connection.execute(_WEEKS)).scalar_one()
        async with client as worker:
            model = (await worker.get("/v1/model")).raise_for_status().json()
        return cls(
            by={name: counts[name] for name in ORIGINS},
            weeks=weeks,
            per_week=round(counts.total() / weeks, 1) if weeks else None,
            capacity=model.get("capacity"),
            model=model.get("name"),
            simulated=model.get("simulated"),
            problem=model.get("problem"),
        )

    def summary(self) -> list[tuple[str, str]]:
        """For people: titles, and what is said."""
        counts = ", ".join(f"{number:,} by {_WORDS[name]}" for name, number in self.by.items())
        capacity = "the rules' levels hold" if self.capacity is None else f"capacity {self.capacity:,}"
        weekly = "" if self.per_week is None else f"; {self.per_week:,} a week ({capacity})"
        if self.model is None:
            model = f"none, the rules go on alone: {self.problem}"
        else:
            model = f"{self.model}, trained on {'simulated' if self.simulated else 'real'} data"
        return [("elevated/urgent", f"{counts}{weekly}"), ("model", model)]
