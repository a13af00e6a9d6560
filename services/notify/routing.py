"""Who is notified of what: pure functions over frozen values.

A case is what one team sees of one household (or of a student without one). Its level is the highest of its open
alerts. The team is notified when an alert is raised or changes its level, and the case's level thereby becomes another
one than it last heard, at or above its lowest. Nothing here knows of addresses, mails or the database.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from services.contracts.alerts import LEVELS, AlertEvent, Level

ANNOUNCED: Final = frozenset({"AlertRaised", "AlertLevelChanged"})
CLOSING: Final = frozenset({"AlertCleared", "AlertWithdrawn"})


class CaseKey(NamedTuple):
    """A household (or a student without one), as one team sees it."""

    family: str
    team: str


@dataclass(frozen=True, slots=True)
class AlertState:
    """An alert after its event `seq`."""

    alert_id: UUID
    seq: int
    student: str
    school_id: str | None
    case: CaseKey
    level: Level
    kinds: tuple[str, ...]
    changed_on: date
    is_open: bool


class Notified(NamedTuple):
    """The level that a team last heard of a case, and the alert by which it heard it."""

    level: Level
    alert_id: UUID


@dataclass(frozen=True, slots=True)
class Notify:
    """Notify the team of the case's level, by the alert that gives it."""

    alert: AlertState


@dataclass(frozen=True, slots=True)
class Retract:
    """The alert is no longer in force: cancel what is not sent; `notify` those who had heard of it, if set."""

    alert: AlertState
    notify: bool


@dataclass(frozen=True, slots=True)
class Routed:
    """What follows from an event: what the team has heard now, and what to do, in this order."""

    notified: Notified | None
    actions: tuple[Notify | Retract, ...]


def rank(level: Level) -> int:
    """0 for the lowest level."""
    return LEVELS.index(level)


def state_after(event: AlertEvent, team: str) -> AlertState:
    """The alert as the event leaves it."""
    return AlertState(
        alert_id=event.alert_id,
        seq=event.seq,
        student=event.student,
        school_id=event.school_id or None,
        case=CaseKey(event.household or event.student, team),
        level=event.level,
        kinds=tuple(dict.fromkeys(reason.kind for reason in event.reasons)),
        changed_on=event.changed_on,
        is_open=event.type not in CLOSING,
    )


def highest(alerts: Sequence[AlertState]) -> AlertState | None:
    """The alert that gives a case its level; the first of equals, None of none."""
    return max(alerts, key=lambda alert: rank(alert.level), default=None)


def lowered(notified: Notified | None, lead: AlertState | None) -> Notified | None:
    """What counts as heard once an alert is gone quietly: no more than what still stands."""
    if notified is None or lead is None:
        return None
    return notified if rank(notified.level) < rank(lead.level) else Notified(lead.level, lead.alert_id)


def route(
    event: AlertEvent,
    state: AlertState,
    *,
    notified: Notified | None,
    others: Sequence[AlertState],
    lowest: Level,
    new: bool,
) -> Routed:
    """What follows from an event that left its alert as `state`.

    `others` are the case's other open alerts, `notified` what the team last heard of it, `lowest` its lowest level.
    `new` says that the alert has come to this team from another one, whose school the student left.
    """
    lead = highest([state, *others] if state.is_open else others)
    if event.type == "AlertWithdrawn":
        return _withdrawn(event, state, notified, lead, lowest)
    if lead is None:
        return Routed(None, ())
    if not state.is_open:
        return Routed(lowered(notified, lead), ())
    if event.superseded or not (event.type in ANNOUNCED or new):
        return Routed(notified, ())
    return _announce(notified, lead, lowest)


def _withdrawn(
    event: AlertEvent, state: AlertState, notified: Notified | None, lead: AlertState | None, lowest: Level
) -> Routed:
    """Retract it, quietly when it is not to be known any more; when the team knew the household by it alone, notify of
    what is still in force.

    Otherwise a sibling's alert, folded into the one withdrawn, would never have been heard of.
    """
    retract = Retract(state, notify=event.because != "not_shared" and not event.superseded)
    if notified is None or lead is None or notified.alert_id != state.alert_id:
        return Routed(lowered(notified, lead), (retract,))
    if event.superseded:
        return Routed(None, (retract,))
    again = _announce(None, lead, lowest)
    return Routed(again.notified, (retract, *again.actions))


def route_erased(erased: Collection[UUID], notified: Notified | None, lead: AlertState | None, lowest: Level) -> Routed:
    """What follows when these alerts never were: as `_withdrawn`, and nothing is left to retract."""
    if notified is None or lead is None or notified.alert_id not in erased:
        return Routed(lowered(notified, lead), ())
    return _announce(None, lead, lowest)


def _announce(notified: Notified | None, lead: AlertState, lowest: Level) -> Routed:
    if notified is not None and notified.level == lead.level:
        return Routed(notified, ())
    actions = (Notify(lead),) if rank(lead.level) >= rank(lowest) else ()
    return Routed(Notified(lead.level, lead.alert_id), actions)
