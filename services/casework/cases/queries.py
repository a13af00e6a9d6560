"""Reading cases. A case is there for who may see an alert of it; its level is that of the alerts they may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any, Final, NamedTuple, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.cases.acting import LIAISON
from services.casework.cases.cursor import CaseOrder, Place, after, ordering, place_columns
from services.casework.cases.schemas import CaseCounts, CaseItem, CaseStudent, QueueFilter
from services.casework.cases.states import ENDED
from services.casework.history.visible import visible_to
from services.casework.tables import AlertRow, CaseRow
from services.contracts.alerts import LEVELS, Level, Reason
from services.contracts.ids import case_number
from services.platform.consent import consented_students, is_disclosed, may_be_shown
from services.platform.identity.caller import Caller
from services.platform.sharing import HOUSING_STATUS

MOST_COUNTED: Final = 500
"""A filter with more cases says so many."""

_NOTES: Final = text("""
    SELECT DISTINCT ON (case_id) case_id, given ->> 'note' AS note FROM casework.case_actions
    WHERE case_id = ANY (CAST(:cases AS uuid[])) AND given ? 'note' AND NOT undone ORDER BY case_id, position DESC
""")


@dataclass(frozen=True, slots=True)
class CaseFilters:
    """What to list; an empty list or None asks for all. `since` and `until` are days of `opened_on`, inclusive."""

    state: QueueFilter | None = None
    schools: Sequence[str] = ()
    levels: Sequence[Level] = ()
    owner: str | None = None
    since: date | None = None
    until: date | None = None


class ShownAlert(NamedTuple):
    """An alert of a case that the caller may see, and its student."""

    row: AlertRow
    student_id: str
    name: str | None
    consent: date


class FoundCases(NamedTuple):
    """A page of cases, and the students that it tells of, each with the day since which the consent is in force."""

    items: list[CaseItem]
    students: Mapping[str, date]
    places: list[Place]


async def list_cases(
    session: AsyncSession, caller: Caller, filters: CaseFilters, order: CaseOrder, place: Place | None, limit: int
) -> FoundCases:
    """Up to `limit` cases after a place."""
    query = _narrowed(seen_by(caller, *place_columns(order)), caller, filters)
    if place is not None:
        query = query.where(after(order, place))
    rows = (await session.execute(query.order_by(*ordering(order)).limit(limit))).all()
    items, students = await as_items(session, caller, [row[0] for row in rows])
    return FoundCases(items, students, [tuple(row[2:]) for row in rows])


async def count_cases(session: AsyncSession, caller: Caller) -> CaseCounts:
    """How many cases each filter has, up to `MOST_COUNTED`."""
    counts = {}
    for state in get_args(QueueFilter):
        one = _narrowed(seen_by(caller), caller, CaseFilters(state=state)).with_only_columns(CaseRow.id)
        some = one.limit(MOST_COUNTED).subquery()
        counts[state] = select(func.count()).select_from(some).scalar_subquery().label(state)
    row = (await session.execute(select(*counts.values()))).one()
    return CaseCounts.model_validate(dict(row._mapping))


async def find_case(session: AsyncSession, caller: Caller, asked: UUID) -> CaseRow | None:
    """The case of this id, or of the alert of this id; None when there is none that the caller may see."""
    for condition in (
        CaseRow.id == asked,
        CaseRow.id.in_(select(AlertRow.case_id).where(AlertRow.id == asked)),
    ):
        query = seen_by(caller).where(condition)
        row = (await session.execute(query)).first()
        if row is not None:
            found: CaseRow = row[0]
            return found
    return None


async def shown_alerts_of(session: AsyncSession, caller: Caller, cases: Iterable[UUID]) -> dict[UUID, list[ShownAlert]]:
    """The alerts of each case that the caller may see, the latest first."""
    names = (consented_students.c.first_name, consented_students.c.last_name)
    query = select(AlertRow, consented_students.c.student_id, *names, consented_students.c.consent_from)
    query = query.join(consented_students, may_be_shown(AlertRow.student, AlertRow.school_id))
    query = query.where(visible_to(caller), AlertRow.case_id.in_(list(cases)))
    found: defaultdict[UUID, list[ShownAlert]] = defaultdict(list)
    for alert, student_id, first, last, since in await session.execute(
        query.order_by(AlertRow.raised_on.desc(), AlertRow.id)
    ):
        name = " ".join(part for part in (first, last) if part) or None
        found[alert.case_id].append(ShownAlert(alert, student_id, name, since))
    return found


async def as_items(
    session: AsyncSession, caller: Caller, rows: Sequence[CaseRow]
) -> tuple[list[CaseItem], dict[str, date]]:
    """The cases as they are shown, and the students whom that tells of."""
    ids = [row.id for row in rows]
    alerts = await shown_alerts_of(session, caller, ids)
    notes = {row.case_id: row.note for row in await session.execute(_NOTES, {"cases": ids})}
    told = await _told(session, caller, [row.id for row in rows if row.outcome is not None])
    items = [_item(row, alerts[row.id], notes.get(row.id), told=row.id in told) for row in rows if row.id in alerts]
    students = {alert.row.student: alert.consent for of in alerts.values() for alert in of}
    return items, students


def lead(alerts: Sequence[ShownAlert]) -> ShownAlert:
    """The alert that gives a case its level: the highest in force, else the highest."""
    there = [alert for alert in alerts if alert.row.status == "open"] or alerts
    return max(there, key=lambda alert: LEVELS.index(alert.row.level))


def _item(row: CaseRow, alerts: Sequence[ShownAlert], note: str | None, *, told: bool) -> CaseItem:
    first = lead(alerts)
    reasons = [Reason.model_validate(reason) for reason in first.row.reasons or ()]
    return CaseItem.model_validate(
        {
            "id": row.id,
            "number": case_number(row.id),
            "state": row.state,
            "level": first.row.level,
            "school_id": first.row.school_id,
            "owner": row.owner,
            "students": _students(alerts),
            "opened_on": row.opened_on,
            "updated_at": row.updated_at.astimezone(UTC),
            "due_on": row.due_on,
            "version": row.version,
            "reasons": [reason.text for reason in reasons],
            "reason_kinds": list(dict.fromkeys(reason.kind for reason in reasons)),
            "note": note,
            "returned": row.returned,
            "snoozed_until": row.snoozed_until,
            "until_worse": row.until_worse,
            "referred_to": row.referred_to,
            "referral_expires_on": row.referral_expires_on,
            "referral_accepted": row.referral_accepted,
            "ended_on": row.ended_on,
            "outcome": row.outcome if told else None,
        }
    )


def _students(alerts: Sequence[ShownAlert]) -> list[CaseStudent]:
    found: dict[str, CaseStudent] = {}
    for alert in alerts:
        student = alert.row.student
        known = found.setdefault(
            student, CaseStudent(student=student, student_id=alert.student_id, name=alert.name, alerts=[])
        )
        known.alerts.append(alert.row.id)
    return list(found.values())


async def _told(session: AsyncSession, caller: Caller, cases: Sequence[UUID]) -> set[UUID]:
    """Of which cases the caller gets the outcome."""
    if not cases or not caller.has(HOUSING_STATUS):
        return set()
    disclosed = is_disclosed(HOUSING_STATUS, CaseRow.agency, CaseRow.school_id)
    return set(await session.scalars(select(CaseRow.id).where(CaseRow.id.in_(cases), disclosed)))


def seen_by(caller: Caller, *columns: Any) -> Select[Any]:
    """Cases of which the caller may see an alert."""
    shown = (
        select(AlertRow.id)
        .join(consented_students, may_be_shown(AlertRow.student, AlertRow.school_id))
        .where(visible_to(caller), AlertRow.case_id == CaseRow.id)
        .correlate(CaseRow)
    )
    return select(CaseRow, CaseRow.id, *columns).where(exists(shown))


def _narrowed(query: Select[Any], caller: Caller, filters: CaseFilters) -> Select[Any]:
    conditions: list[ColumnElement[bool] | None] = [
        None if caller.confined_to is None else CaseRow.agency == caller.confined_to,
        None if filters.state is None else _in_state(filters.state, caller),
        CaseRow.school_id.in_(filters.schools) if filters.schools else None,
        CaseRow.level.in_(filters.levels) if filters.levels else None,
        CaseRow.owner == filters.owner if filters.owner else None,
        CaseRow.opened_on >= filters.since if filters.since else None,
        CaseRow.opened_on <= filters.until if filters.until else None,
    ]
    return query.where(*(condition for condition in conditions if condition is not None))


def _in_state(state: QueueFilter, caller: Caller) -> ColumnElement[bool]:
    in_hand = CaseRow.state.in_(("taken", "snoozed"))
    return {
        "new": CaseRow.state == "new",
        "mine": and_(in_hand, CaseRow.owner == caller.subject),
        "taken": CaseRow.state == "taken",
        "due": and_(CaseRow.state == "taken", CaseRow.due_on <= func.ingest.today()),
        "snoozed": CaseRow.state == "snoozed",
        "closed": CaseRow.state.in_(sorted(ENDED)),
        "referred": and_(
            CaseRow.referred_to.is_not(None),
            CaseRow.referral_accepted.is_(False),
            CaseRow.referred_by != caller.subject,
            (CaseRow.referred_to == LIAISON) if caller.role == "steward" else (CaseRow.referred_to != LIAISON),
        ),
    }[state]
