"""The live consent gate as other services see it: ingest's view, read by SQL and never imported."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    SQLColumnExpression,
    Text,
    and_,
    column,
    exists,
    func,
    select,
    table,
)
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.platform.roles import check_role
from services.platform.sharing import ANY

DATABASE_AWAY: Final = (OperationalError, InterfaceError, PoolTimeoutError)
"""What the database raises while it is down, starting or too busy: trying again helps."""

consented_students = table(
    "consented_students",
    column("pseudonym", Text),
    column("student_id", Text),
    column("first_name", Text),
    column("last_name", Text),
    column("grade", Text),
    column("agency", Text),
    column("consent_from", Date),
    schema="ingest",
)
"""Students whose consent is in force now, under the agreement in force; join it for all that is shown or sent."""

live_schools = table("live_schools", column("agency", Text), column("school_id", Text), schema="ingest")
"""Whose attendance flows to which agency now; school `*` is all of them."""

_disclosures = table(
    "disclosures",
    column("applied", Integer),
    column("recipient", Text),
    column("form", Text),
    column("record", Text),
    column("school_id", Text),
    schema="ingest",
)
_in_force = table("agreement_in_force", column("applied", Integer), schema="ingest")

CHECK_SECONDS: Final = 3.0


def may_be_shown(
    student: SQLColumnExpression[str], school: SQLColumnExpression[str] | SQLColumnExpression[str | None]
) -> ColumnElement[bool]:
    """On which `consented_students` joins what is said of a student at a school."""
    of_agency = live_schools.c.agency == consented_students.c.agency
    given = exists().where(of_agency, live_schools.c.school_id.in_((school, ANY)))
    shared = given.correlate_except(live_schools)  # else, inside another EXISTS, the school would be anyone's
    return and_(consented_students.c.pseudonym == student, shared)


def is_disclosed(
    record: str, agency: SQLColumnExpression[str | None], school: SQLColumnExpression[str | None]
) -> ColumnElement[bool]:
    """Whether the agreement in force gives the agency this kind of records of the school, beside what flows to it."""
    return exists().where(
        _disclosures.c.applied == _in_force.c.applied,
        _disclosures.c.recipient == agency,
        _disclosures.c.form == "live",
        _disclosures.c.record == record,
        _disclosures.c.school_id.in_((school, ANY)),
    )


async def check_database(engine: AsyncEngine, service: str) -> str | None:
    """A readiness check: the database answers, its user is the service's role, and the consent view is there."""
    try:
        async with asyncio.timeout(CHECK_SECONDS), engine.connect() as connection:
            wrong = await check_role(connection, service)
            if wrong is not None:
                return wrong
            view = await connection.scalar(select(func.to_regclass("ingest.consented_students").is_not(None)))
    except (*DATABASE_AWAY, TimeoutError):
        return "the database does not answer; see FIRSTBELL_DATABASE"
    return None if view else "the view ingest.consented_students is missing; run the migrations (`firstbell up` does)"
