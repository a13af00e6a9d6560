"""Cases that nobody takes go to the supervisors of their team, again and again, and not for ever.

What is written here is a row of the outbox; whether the case still waits is asked once more when it is sent.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.notify.routing import rank
from services.notify.working_time import WorkingTime
from services.platform.consent import DATABASE_AWAY
from services.platform.rows import as_json
from services.platform.teams import Teams

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
REPEATS: Final = 5
"""After the first escalation."""
AT_ONCE: Final = 1_000

_WAITING: Final = text("""
    SELECT case_id, alert_id, student, school_id, agency, level, waiting_since FROM casework.waiting_cases
    WHERE (waiting_since, case_id) > (:since, CAST(:case AS uuid)) ORDER BY waiting_since, case_id LIMIT :limit
""")
_ADD: Final = text("""
    INSERT INTO notify.outbox
        (id, event_id, alert_id, student, school_id, family, recipient, kind, level, kinds, changed_on, caused_at)
    SELECT id, event_id, alert_id, student, school_id, family, recipient, 'escalation', level, '{}', changed_on,
           caused_at
    FROM json_to_recordset(CAST(:mails AS json)) AS mail (
        id uuid, event_id uuid, alert_id uuid, student text, school_id text, family text, recipient text, level text,
        changed_on date, caused_at timestamptz)
    ON CONFLICT DO NOTHING RETURNING id
""")
_FIRST_CASE: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class EscalationPlan:
    """After how long a case that waits goes to the supervisors."""

    working: WorkingTime
    urgent_hours: float
    days: float
    """Of working days, for every other level."""

    def moments(self, level: str, since: datetime) -> list[datetime]:
        """When it goes there: the first time, and `REPEATS` more, each after the same interval."""
        hours = self.urgent_hours if level == "urgent" else self.days * self.working.day_hours
        found, at = [], since
        for _ in range(1 + REPEATS):
            at = self.working.after(at, hours)
            found.append(at)
        return found


@dataclass(slots=True)
class _Waiting:
    """A case that waits: when it is to be told of, and how many of these were told."""

    moments: Sequence[datetime]
    told: int = 0


class Escalations:
    """Looks for cases that wait too long."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], teams: Teams, plan: EscalationPlan, wake: Callable[[], None]
    ) -> None:
        self._sessions = sessions
        self._teams = teams
        self._plan = plan
        self._wake = wake
        self._waiting: dict[tuple[UUID, datetime, str], _Waiting] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                if await self.look(datetime.now(UTC)):
                    self._wake()
            except DATABASE_AWAY as error:
                log.warning("escalations wait for the database: %s", type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, now: datetime) -> int:
        """Put what is due into the outbox; how many mails that were."""
        since, case, number = datetime.min.replace(tzinfo=UTC), _FIRST_CASE, 0
        seen: dict[tuple[UUID, datetime, str], _Waiting] = {}
        while True:
            async with self._sessions.begin() as session:
                rows = (await session.execute(_WAITING, {"since": since, "case": case, "limit": AT_ONCE})).all()
                mails = [mail for row in rows for mail in self._mails(row, now, seen)]
                if mails:
                    number += len((await session.execute(_ADD, {"mails": as_json(mails)})).all())
            if len(rows) < AT_ONCE:
                self._waiting = seen
                return number
            since, case = rows[-1].waiting_since, str(rows[-1].case_id)

    def _mails(
        self, row: Row[Any], now: datetime, seen: dict[tuple[UUID, datetime, str], _Waiting]
    ) -> Sequence[dict[str, object]]:
        """The latest escalation that is due, to each supervisor; those that were missed are not made up for."""
        team = self._teams.of(row.agency, row.school_id)
        if team is None or rank(row.level) < rank(team.lowest_level):
            return ()
        key = (row.case_id, row.waiting_since, row.level)
        waiting = self._waiting.get(key) or _Waiting(self._plan.moments(row.level, row.waiting_since))
        due = bisect_right(waiting.moments, now)
        seen[key] = replace(waiting, told=due)
        if due == waiting.told:
            return ()
        event = uuid5(row.case_id, f"escalation|{row.waiting_since.isoformat()}|{due}")
        return [
            {
                "id": uuid5(event, recipient),
                "event_id": event,
                "alert_id": row.alert_id,
                "student": row.student,
                "school_id": row.school_id,
                "family": str(row.case_id),
                "recipient": recipient,
                "level": row.level,
                "changed_on": row.waiting_since.date(),
                "caused_at": row.waiting_since,
            }
            for recipient in self._teams.supervisors_of(team)
        ]
