"""Take in a batch of alert events: state, what teams have heard, and the outbox, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from services.contracts.alerts import AlertEvent, Level
from services.notify import outbox
from services.notify.book import Book
from services.notify.routing import AlertState, CaseKey, Tell, Told
from services.notify.tables import AlertRow, ToldRow
from services.notify.teams import Teams

INTAKE_LOCK = 727002
"""Advisory: one batch at a time, also while Kafka moves partitions between two processes."""


class Intake:
    """Handles the batches of `alerts.v1`; a repeat changes nothing and tells nobody."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], teams: Teams, wake: Callable[[], None]) -> None:
        self._sessions = sessions
        self._teams = teams
        self._wake = wake

    async def take(self, events: Sequence[AlertEvent]) -> None:
        """Store what follows from the events, and wake the delivery once it is committed."""
        async with self._sessions.begin() as session:
            await session.execute(select(func.pg_advisory_xact_lock(INTAKE_LOCK)))
            book = await _load(session, events)
            before = dict(book.told)
            todo = [(event, action) for event in events for action in book.take(event, self._teams)]
            await _save(session, book, before)
            for event, action in todo:
                if isinstance(action, Tell):
                    team = self._teams.of_school(event.school_id)
                    await outbox.tell(session, event, action.alert, team.recipients)
                else:
                    await outbox.retract(session, event, action)
        self._wake()


async def _load(session: AsyncSession, events: Sequence[AlertEvent]) -> Book:
    ids = {event.alert_id for event in events}
    known = set(await session.scalars(select(AlertRow.family).where(AlertRow.alert_id.in_(ids))))
    families = known | {event.household or event.student for event in events}
    alerts = await session.scalars(
        select(AlertRow).where(or_(AlertRow.alert_id.in_(ids), AlertRow.is_open & AlertRow.family.in_(families)))
    )
    told = await session.scalars(select(ToldRow).where(ToldRow.family.in_(families)))
    return Book(
        [_state(row) for row in alerts],
        {CaseKey(row.family, row.team): Told(cast("Level", row.level), row.alert_id) for row in told},
    )


async def _save(session: AsyncSession, book: Book, before: dict[CaseKey, Told]) -> None:
    if book.changed:
        upsert = insert(AlertRow)
        changes = {column.name: upsert.excluded[column.name] for column in AlertRow.__table__.columns}
        upsert = upsert.on_conflict_do_update(index_elements=[AlertRow.alert_id], set_=changes)
        await session.execute(upsert, [_values(book.alerts[alert_id]) for alert_id in sorted(book.changed)])
    gone = before.keys() - book.told.keys()
    if gone:
        await session.execute(delete(ToldRow).where(tuple_(ToldRow.family, ToldRow.team).in_(sorted(gone))))
    heard = {case: told for case, told in book.told.items() if before.get(case) != told}
    if heard:
        news = insert(ToldRow)
        news = news.on_conflict_do_update(
            index_elements=[ToldRow.family, ToldRow.team],
            set_={"level": news.excluded.level, "alert_id": news.excluded.alert_id},
        )
        await session.execute(news, [{**case._asdict(), **told._asdict()} for case, told in heard.items()])


def _state(row: AlertRow) -> AlertState:
    return AlertState(
        alert_id=row.alert_id,
        seq=row.seq,
        student=row.student,
        case=CaseKey(row.family, row.team),
        level=cast("Level", row.level),
        kinds=tuple(row.kinds),
        changed_on=row.changed_on,
        is_open=row.is_open,
    )


def _values(state: AlertState) -> dict[str, object]:
    return {
        "alert_id": state.alert_id,
        "seq": state.seq,
        "student": state.student,
        "family": state.case.family,
        "team": state.case.team,
        "level": state.level,
        "kinds": list(state.kinds),
        "changed_on": state.changed_on,
        "is_open": state.is_open,
    }
