"""Counting how cases ended, of those that the caller may see."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import extract, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.equity import EquityCell
from services.casework.cases.queries import seen_by
from services.casework.quality.schemas import FirstContact, MonthOutcomes, Precision, Quality
from services.casework.tables import CaseRow
from services.contracts.cases import IN_NEED, NO_NEED
from services.platform.consent import is_disclosed
from services.platform.identity.caller import Caller
from services.platform.sharing import HOUSING_STATUS

SMALL_CELL: Final = 10
"""Fewer cases than these say too much of one family."""
_HOUR_SECONDS: Final = 3600


async def quality_of(session: AsyncSession, caller: Caller) -> Quality:
    """What alerts were worth."""
    return Quality(
        precision=await _precision(session, caller),
        false_alert_gap=None,
        time_to_first_contact_hours=await _first_contact(session, caller),
    )


async def outcomes_by_month(session: AsyncSession, caller: Caller) -> list[MonthOutcomes]:
    """How cases ended, the latest month first; nothing for who gets no outcomes."""
    if not caller.has(HOUSING_STATUS):
        return []
    month = func.to_char(CaseRow.ended_on, "YYYY-MM")
    rows = await _counted(session, caller, month, CaseRow.outcome)
    found: dict[str, dict[str, int]] = {}
    for when, outcome, number in rows:
        found.setdefault(when, {})
        if number >= SMALL_CELL:
            found[when][outcome] = number
    return [MonthOutcomes(month=when, outcomes=found[when]) for when in sorted(found, reverse=True)]


async def _precision(session: AsyncSession, caller: Caller) -> Precision:
    if not caller.has(HOUSING_STATUS):
        return Precision(value=None, low=None, high=None, n=None)
    counts = {row[0]: row[1] for row in await _counted(session, caller, CaseRow.outcome)}
    right, wrong = (sum(counts.get(one, 0) for one in outcomes) for outcomes in (IN_NEED, NO_NEED))
    return precision_of(right, wrong)


def precision_of(right: int, wrong: int) -> Precision:
    """The share of right ones, hidden where they are too few."""
    if right + wrong < SMALL_CELL:
        return Precision(value=None, low=None, high=None, n=None)
    cell = EquityCell(right + wrong, right)
    low, high = cell.interval or (None, None)
    return Precision(value=cell.rate, low=low, high=high, n=right + wrong)


async def _counted(session: AsyncSession, caller: Caller, *by: Any) -> list[tuple[Any, ...]]:
    told = is_disclosed(HOUSING_STATUS, CaseRow.agency, CaseRow.school_id)
    query = seen_by(caller).where(CaseRow.state == "closed", CaseRow.outcome.is_not(None), told)
    rows = await session.execute(query.with_only_columns(*by, func.count()).group_by(*by))
    return [tuple(row) for row in rows]


async def _first_contact(session: AsyncSession, caller: Caller) -> FirstContact:
    hours = extract("epoch", CaseRow.first_contact_at - CaseRow.opened_at) / _HOUR_SECONDS
    contacted = seen_by(caller).where(CaseRow.first_contact_at.is_not(None)).with_only_columns(hours.label("hours"))
    found = contacted.subquery()
    shares = (func.percentile_cont(share).within_group(found.c.hours) for share in (0.5, 0.9))
    number, p50, p90 = (await session.execute(select(func.count(), *shares).select_from(found))).one()
    return FirstContact(p50=p50, p90=p90) if number >= SMALL_CELL else FirstContact(p50=None, p90=None)
