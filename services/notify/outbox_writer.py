"""The outbox as the intake sees it: what follows from a batch of events is written in a few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.notify.mail import NotificationKind
from services.notify.routing import AlertState, Notify, Retract
from services.platform.rows import as_json
from services.platform.teams import Teams

_MAILS: Final = """
    mails AS (
        SELECT * FROM ROWS FROM (json_to_recordset(CAST(:mails AS json)) AS (
            id uuid, event_id uuid, alert_id uuid, student text, school_id text, family text, recipient text, kind text,
            level text, kinds text[], changed_on date, caused_at timestamptz)) WITH ORDINALITY)
"""

_ADD: Final = """
    INSERT INTO notify.outbox
        (id, event_id, alert_id, student, school_id, family, recipient, kind, level, kinds, changed_on, caused_at,
         after_end)
    SELECT id, event_id, alert_id, student, school_id, family, recipient, kind, level, kinds, changed_on, caused_at,
           EXISTS (SELECT FROM casework.alert_cases c
                   WHERE c.alert_id = mails.alert_id AND c.state IN ('closed', 'cleared', 'withdrawn'))
    FROM mails ORDER BY ordinality
    ON CONFLICT DO NOTHING
"""

_NOTIFY: Final = text(f"""
    WITH {_MAILS}, hurried AS (
        UPDATE notify.outbox waiting SET next_attempt_at = clock_timestamp() FROM mails
        WHERE waiting.status = 'pending' AND waiting.family = mails.family AND waiting.recipient = mails.recipient)
    {_ADD}
""")  # noqa: S608 - of constants

_NOTIFY_WITHDRAWN: Final = text(f"WITH {_MAILS} {_ADD}")

_CANCEL: Final = text("""
    UPDATE notify.outbox unsent SET status = 'cancelled', reason = 'the alert was withdrawn before this was sent'
    FROM json_to_recordset(CAST(:alerts AS json)) AS retracted (alert_id uuid, notify boolean)
    WHERE unsent.alert_id = retracted.alert_id AND unsent.status = 'pending'
          AND (unsent.kind = 'level' OR NOT retracted.notify)
""")

_HEARD: Final = text("""
    SELECT alert_id, recipient FROM (
        SELECT DISTINCT ON (alert_id, recipient) alert_id, recipient, kind
        FROM notify.outbox WHERE alert_id = ANY(CAST(:alerts AS uuid[])) AND status IN ('sent', 'pending')
        ORDER BY alert_id, recipient, position DESC) AS last
    WHERE kind = 'level' ORDER BY recipient
""")


class OutboxStep(NamedTuple):
    """What to do because of an event."""

    event_id: UUID
    caused_at: datetime
    action: Notify | Retract


async def write(session: AsyncSession | AsyncConnection, steps: Sequence[OutboxStep], teams: Teams) -> None:
    """Add, cancel and retract mails as if the steps came one by one."""
    for wave in in_waves(steps):
        if isinstance(wave[0].action, Notify):
            await _notify(session, wave, teams)
        else:
            await _retract(session, wave)


def in_waves(steps: Iterable[OutboxStep]) -> list[list[OutboxStep]]:
    """The steps, those of one wave to be written at once: all notify or all retract, and no alert is retracted twice.

    Steps of one alert or one household keep their order.
    """
    waves: defaultdict[int, list[OutboxStep]] = defaultdict(list)
    reached: dict[UUID | str, int] = {}
    retracted: set[tuple[int, UUID]] = set()
    for step in steps:
        alert, retracts = step.action.alert, isinstance(step.action, Retract)
        number = max(reached.get(alert.alert_id, 0), reached.get(alert.case.family, 0))
        number += number % 2 != retracts  # even waves notify, odd ones retract
        if retracts and (number, alert.alert_id) in retracted:
            number += 2
        if retracts:
            retracted.add((number, alert.alert_id))
        reached[alert.alert_id] = reached[alert.case.family] = number
        waves[number].append(step)
    return [waves[number] for number in sorted(waves)]


def notification_id(event_id: UUID, kind: NotificationKind, recipient: str) -> UUID:
    """The id of the mail that an event is to one recipient; the same event replayed sends nothing new."""
    return uuid5(event_id, f"{kind}|{recipient}")


def _recipients(alert: AlertState, teams: Teams) -> Sequence[str]:
    team = teams.named(alert.case.team)
    return () if team is None else team.recipients


async def _notify(session: AsyncSession | AsyncConnection, steps: Sequence[OutboxStep], teams: Teams) -> None:
    """Add a mail to each recipient; earlier ones of the case that wait are due at once, so that order is kept."""
    mails = [_mail(step, "level", recipient) for step in steps for recipient in _recipients(step.action.alert, teams)]
    await session.execute(_NOTIFY, {"mails": as_json(mails)})


async def _retract(session: AsyncSession | AsyncConnection, steps: Sequence[OutboxStep]) -> None:
    """Cancel what is not sent about alerts, and notify those whose last mail about one said that it is in force."""
    alerts = [{"alert_id": step.action.alert.alert_id, "notify": _notifies(step)} for step in steps]
    await session.execute(_CANCEL, {"alerts": as_json(alerts)})
    notifying = {step.action.alert.alert_id: step for step in steps if _notifies(step)}
    if not notifying:
        return
    heard = await session.execute(_HEARD, {"alerts": list(notifying)})
    mails = [_mail(notifying[row.alert_id], "withdrawn", row.recipient) for row in heard]
    if mails:
        await session.execute(_NOTIFY_WITHDRAWN, {"mails": as_json(mails)})


def _notifies(step: OutboxStep) -> bool:
    return isinstance(step.action, Retract) and step.action.notify


def _mail(step: OutboxStep, kind: NotificationKind, recipient: str) -> dict[str, object]:
    alert = step.action.alert
    return {
        "id": notification_id(step.event_id, kind, recipient),
        "event_id": step.event_id,
        "alert_id": alert.alert_id,
        "student": alert.student,
        "school_id": alert.school_id,
        "family": alert.case.family,
        "recipient": recipient,
        "kind": kind,
        "level": alert.level,
        "kinds": alert.kinds,
        "changed_on": alert.changed_on,
        "caused_at": step.caused_at,
    }
