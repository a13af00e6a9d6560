"""What notify knows of alerts and of what teams have heard, read and written for a whole batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.contracts.alerts import AlertEvent
from services.notify.case_states import CaseStates
from services.notify.routing import AlertState, CaseKey, Notified
from services.platform.rows import as_json

_COLUMNS: Final = "alert_id, seq, student, school_id, family, team, level, kinds, changed_on, is_open"

_FAMILIES: Final = """
    ARRAY(SELECT unnest(CAST(:families AS text[]))
          UNION SELECT family FROM notify.alerts WHERE alert_id = ANY(CAST(:ids AS uuid[])))
"""

_ALERTS: Final = text(f"""
    SELECT {_COLUMNS} FROM notify.alerts
    WHERE alert_id = ANY(CAST(:ids AS uuid[])) OR (is_open AND family = ANY({_FAMILIES}))
""")  # noqa: S608 - of constants

_TOLD: Final = text(f"SELECT family, team, level, alert_id FROM notify.told WHERE family = ANY({_FAMILIES})")  # noqa: S608

_FAMILIES_OF_STUDENT: Final = """
    ARRAY(SELECT family FROM notify.alerts WHERE student = :student
          UNION SELECT told.family FROM notify.told JOIN notify.alerts USING (alert_id) WHERE student = :student)
"""

_ALERTS_AROUND: Final = text(f"""
    SELECT {_COLUMNS} FROM notify.alerts
    WHERE student = :student OR (is_open AND family = ANY({_FAMILIES_OF_STUDENT}))
""")  # noqa: S608

_TOLD_AROUND: Final = text(
    f"SELECT family, team, level, alert_id FROM notify.told WHERE family = ANY({_FAMILIES_OF_STUDENT})"  # noqa: S608
)

_KEEP_ALERTS: Final = text(f"""
    INSERT INTO notify.alerts ({_COLUMNS})
    SELECT * FROM json_to_recordset(CAST(:alerts AS json)) AS alert (
        alert_id uuid, seq bigint, student text, school_id text, family text, team text, level text, kinds text[],
        changed_on date, is_open boolean)
    ORDER BY alert_id
    ON CONFLICT (alert_id) DO UPDATE SET
        seq = excluded.seq, student = excluded.student, school_id = excluded.school_id, family = excluded.family,
        team = excluded.team, level = excluded.level, kinds = excluded.kinds, changed_on = excluded.changed_on,
        is_open = excluded.is_open
""")  # noqa: S608

_KEEP_TOLD: Final = text("""
    WITH news AS (
        SELECT * FROM json_to_recordset(CAST(:told AS json)) AS told (
            family text, team text, level text, alert_id uuid)),
    unheard AS (
        DELETE FROM notify.told USING news
        WHERE told.family = news.family AND told.team = news.team AND news.level IS NULL)
    INSERT INTO notify.told (family, team, level, alert_id)
    SELECT family, team, level, alert_id FROM news WHERE level IS NOT NULL
    ON CONFLICT (family, team) DO UPDATE SET level = excluded.level, alert_id = excluded.alert_id
""")


async def load(session: AsyncSession, events: Sequence[AlertEvent]) -> CaseStates:
    """All that the events may bear upon: their alerts, the open alerts of these households, and what was heard."""
    given = {
        "ids": list({event.alert_id for event in events}),
        "families": list({event.household or event.student for event in events}),
    }
    return _states(await session.execute(_ALERTS, given), await session.execute(_TOLD, given))


async def load_student(connection: AsyncConnection, student: str) -> CaseStates:
    """All that the student's erasure may bear upon: as `load`, and what was heard by the student's alerts."""
    given = {"student": student}
    return _states(await connection.execute(_ALERTS_AROUND, given), await connection.execute(_TOLD_AROUND, given))


async def save(session: AsyncSession | AsyncConnection, book: CaseStates, before: Mapping[CaseKey, Notified]) -> None:
    """Write what the book has changed since it was loaded, `before` being what had been heard then."""
    if book.changed:
        await session.execute(_KEEP_ALERTS, {"alerts": as_json(_values(book.alerts[each]) for each in book.changed)})
    cases = before.keys() | book.notified.keys()
    news = {case: book.notified.get(case) for case in cases if book.notified.get(case) != before.get(case)}
    if news:
        await session.execute(_KEEP_TOLD, {"told": as_json(_heard(case, notified) for case, notified in news.items())})


def _states(alerts: Iterable[Row[Any]], told: Iterable[Row[Any]]) -> CaseStates:
    notified = {CaseKey(row.family, row.team): Notified(row.level, row.alert_id) for row in told}
    return CaseStates([_state(row) for row in alerts], notified)


def _state(row: Row[Any]) -> AlertState:
    return AlertState(
        alert_id=row.alert_id,
        seq=row.seq,
        student=row.student,
        school_id=row.school_id,
        case=CaseKey(row.family, row.team),
        level=row.level,
        kinds=tuple(row.kinds),
        changed_on=row.changed_on,
        is_open=row.is_open,
    )


def _values(state: AlertState) -> dict[str, object]:
    return {
        "alert_id": state.alert_id,
        "seq": state.seq,
        "student": state.student,
        "school_id": state.school_id,
        "family": state.case.family,
        "team": state.case.team,
        "level": state.level,
        "kinds": state.kinds,
        "changed_on": state.changed_on,
        "is_open": state.is_open,
    }


def _heard(case: CaseKey, notified: Notified | None) -> dict[str, object]:
    heard = {"level": None, "alert_id": None} if notified is None else notified._asdict()
    return {"family": case.family, "team": case.team, **heard}
