"""Bringing cases to where their alerts are, in the transaction that keeps the alerts' events."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from uuid import UUID

from services.casework.cases import kept
from services.casework.cases.following import CaseAlert, Following
from services.casework.cases.school_days import SchoolDays
from services.casework.cases.states import Case
from services.platform.database import Transaction


async def follow(session: Transaction, changed: Collection[UUID], families: Iterable[str]) -> None:
    """After these alerts were written, which are of these households (or of students without one).

    The transaction has said `one_at_a_time`.
    """
    cases = await kept.cases_around(session, changed, set(families))
    alerts = await kept.alerts_of(session, [case.id for case in cases], changed)
    today = await kept.today(session)
    days = await _school_days(session, cases, [alert for alert in alerts if alert.id in changed])
    following = Following(cases, alerts, days.between, today, datetime.now(UTC))
    for alert in sorted((alert for alert in alerts if alert.id in changed), key=lambda each: (each.raised_on, each.id)):
        following.take(alert)
    await kept.keep(session, following.changed())
    await kept.move(session, following.moved)
    await kept.note_what_came(session, following.came, today)


async def follow_again(session: Transaction, case: UUID) -> None:
    """After something about the case was taken back: its alerts may have gone on meanwhile."""
    alerts = await kept.alerts_of(session, [case])
    await follow(session, {alert.id for alert in alerts}, {alert.family for alert in alerts})


async def _school_days(session: Transaction, cases: Iterable[Case], alerts: Iterable[CaseAlert]) -> SchoolDays:
    """The days from the first end of a case to the last alert."""
    ends = [case.ended_on for case in cases if case.ended_on is not None]
    raised = [alert.raised_on for alert in alerts]
    if not ends or not raised or max(raised) <= min(ends):
        return SchoolDays()
    first = max(min(ends), date.fromordinal(max(raised).toordinal() - 366))
    return await SchoolDays.read(session, {alert.school_id for alert in alerts}, first, max(raised))
