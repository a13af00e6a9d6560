"""What the calendar alone brings: snoozed cases wake, cases without a contact go back, referrals expire."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.casework.cases import kept
from services.casework.cases.following import Came
from services.casework.cases.published import publish
from services.casework.cases.returning import AS_ACTION, due
from services.casework.cases.states import COLUMNS, Case
from services.platform.consent import DATABASE_AWAY

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30.0
AT_ONCE: Final = 200

_DUE: Final = text(f"""
    SELECT {", ".join(COLUMNS)} FROM casework.cases
    WHERE state IN ('taken', 'snoozed') AND (
        state = 'snoozed' AND snoozed_until <= :today
        OR referred_to IS NOT NULL AND NOT referral_accepted AND referral_expires_on < :today
        OR state = 'taken' AND contact_by < :today)
    ORDER BY id LIMIT :limit
""")  # noqa: S608 -- our own names
_FORGET: Final = text("DELETE FROM casework.changes WHERE at < clock_timestamp() - interval '1 day'")

IsAway = Callable[[str, date], bool]
"""Whether who has a case is away on a day."""


class CaseSweep:
    """Looks at what is due, again and again."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], is_away: IsAway, on_new: Callable[[], None]) -> None:
        self._sessions = sessions
        self._is_away = is_away
        self._on_new = on_new

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                while await self.look() == AT_ONCE:
                    pass
            except DATABASE_AWAY as error:
                log.warning("what is due waits for the database: %s", type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> int:
        """Bring back what is due now, up to `AT_ONCE`; how many cases that were."""
        async with self._sessions.begin() as session:
            await kept.one_at_a_time(session)
            await session.execute(_FORGET)
            today = await kept.today(session)
            rows = (await session.execute(_DUE, {"today": today, "limit": AT_ONCE})).all()
            for case in map(kept.as_case, rows):
                await self._bring_back(session, case, today)
        if rows:
            self._on_new()
        return len(rows)

    async def _bring_back(self, session: AsyncSession, case: Case, today: date) -> None:
        away = case.owner is not None and self._is_away(case.owner, today)
        after = due(case, today, datetime.now(UTC), owner_is_away=away)
        what = after.returned
        if what is None or after is case:
            return
        if what in AS_ACTION:
            await publish(session, case.id, uuid4(), {"action": AS_ACTION[what]}, today)
        await kept.keep(session, [after])
        await kept.note_what_came(session, [Came(after, what)], today)
