"""Weeks, by their Monday: which had school, and which Kafka knows to be over."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.store.days import flows

_HAD_SCHOOL = text(f"""
    SELECT EXISTS (SELECT FROM ingest.school_days
                   WHERE reported AND date BETWEEN :week AND CAST(:week AS date) + 6 AND {flows()})
""")  # noqa: S608 -- our own text

_DUE = text(f"""
    SELECT l.week FROM (
        SELECT t.today - (extract(isodow FROM t.today)::integer - 1) - 7 AS week FROM (SELECT ingest.today() AS today) t
    ) l
    WHERE NOT EXISTS (SELECT FROM ingest.replay_clock)
      AND NOT EXISTS (SELECT FROM ingest.closed_weeks c WHERE c.week = l.week)
      AND NOT EXISTS (SELECT FROM ingest.school_days WHERE (day_pending OR close_pending) AND {flows()})
      AND EXISTS (SELECT FROM ingest.school_days
                  WHERE reported AND date BETWEEN l.week AND l.week + 6 AND {flows()})
""")  # noqa: S608 -- our own text

_SENT = text("INSERT INTO ingest.closed_weeks (week) VALUES (:week) ON CONFLICT DO NOTHING")


async def had_school(connection: AsyncConnection, week: date) -> bool:
    """Whether any school of which something is live has closed a day of the week."""
    return bool((await connection.execute(_HAD_SCHOOL, {"week": week})).scalar_one())


async def due(connection: AsyncConnection) -> date | None:
    """The last complete week, when it had school and Kafka does not know yet that it is over.

    None while closes are still to be sent, for it goes behind them, and in a replay, which closes its weeks itself.
    """
    week: date | None = (await connection.execute(_DUE)).scalar_one_or_none()
    return week


async def sent(connection: AsyncConnection, week: date) -> None:
    """Kafka knows that this week is over."""
    await connection.execute(_SENT, {"week": week})
