"""Cases as they are kept: read, written, and what is told of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import Date, Row, func, select, text

from services.casework.cases.following import Came, CaseAlert
from services.casework.cases.states import COLUMNS, FOLLOWED, Case
from services.casework.changes.kept import ChangeKind, tell
from services.casework.tables import CaseRow
from services.platform.consent import is_disclosed
from services.platform.database import Transaction
from services.platform.identity.caller import Caller
from services.platform.rows import as_json
from services.platform.sharing import HOUSING_STATUS

_LIST: Final = ", ".join(COLUMNS)
_TYPED: Final = """
    id uuid, agency text, family text, school_id text, level text, state text, version bigint, opened_on date,
    ended_on date, waiting_since timestamptz, owner text, taken_on date, contact_by date, first_contact_at timestamptz,
    last_contact_on date, due_on date, snoozed_until date, until_worse boolean, snoozed_level text, referred_to text,
    referred_by text, referral_expires_on date, referral_accepted boolean, returned text, outcome text
"""
_KEEP: Final = text(f"""
    INSERT INTO casework.cases AS standing ({_LIST})
    SELECT {_LIST} FROM json_to_recordset(CAST(:cases AS json)) AS c ({_TYPED})
    ON CONFLICT (id) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in {"id", "opened_on", "version"})},
        version = standing.version + 1, updated_at = clock_timestamp()
""")  # noqa: S608 -- our own names

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(727009)")

_AROUND: Final = text(f"""
    SELECT {_LIST} FROM casework.cases
    WHERE id IN (SELECT case_id FROM casework.alerts WHERE id = ANY (CAST(:alerts AS uuid[])))
       OR id = ANY (CAST(:alerts AS uuid[]))
       OR family = ANY (CAST(:families AS text[]))
    ORDER BY id
""")  # noqa: S608
_ALERTS_OF: Final = text("""
    SELECT id, agency, coalesce(household, student) AS family, school_id, level, status, raised_on, case_id
    FROM casework.alerts
    WHERE level IS NOT NULL AND (case_id = ANY (CAST(:cases AS uuid[])) OR id = ANY (CAST(:alerts AS uuid[])))
""")
_MOVE: Final = text("""
    UPDATE casework.alerts a SET case_id = moved.home
    FROM json_to_recordset(CAST(:moved AS json)) AS moved (id uuid, home uuid) WHERE a.id = moved.id
""")
_CAME: Final = text("""
    INSERT INTO casework.case_actions (id, case_id, action, done_on, given)
    SELECT id, case_id, action, done_on, '{}' FROM json_to_recordset(CAST(:came AS json)) AS came (
        id uuid, case_id uuid, action text, done_on date)
""")


async def one_at_a_time(session: Transaction) -> None:
    """Whoever changes cases does so alone until the transaction ends, and says so before anything else of casework.

    So one of two batches opens a household's case, also while Kafka moves partitions between two processes.
    """
    await session.execute(_ONE_AT_A_TIME)


async def today(session: Transaction) -> date:
    """Today by the one clock."""
    found: date = (await session.execute(select(func.ingest.today(type_=Date)))).scalar_one()
    return found


async def cases_around(session: Transaction, alerts: Collection[UUID], families: Collection[str]) -> list[Case]:
    """The cases of these alerts and families."""
    rows = await session.execute(_AROUND, {"alerts": list(alerts), "families": sorted(families)})
    return [as_case(row) for row in rows]


async def alerts_of(session: Transaction, cases: Iterable[UUID], alerts: Collection[UUID] = ()) -> list[CaseAlert]:
    """The alerts of the cases, and these."""
    rows = await session.execute(_ALERTS_OF, {"cases": list(cases), "alerts": list(alerts)})
    return [CaseAlert(**row._mapping) for row in rows]


async def keep(session: Transaction, cases: Sequence[Case], kind: ChangeKind = "changed") -> None:
    """Write the cases, each a version on, and tell pages that they changed."""
    if cases:
        await session.execute(_KEEP, {"cases": as_json(map(asdict, cases))})
        await tell(session, {case.id: "new" if case.state == "new" else kind for case in cases})


async def move(session: Transaction, moved: dict[UUID, UUID]) -> None:
    """Put alerts to their cases."""
    if moved:
        rows = [{"id": alert, "home": home} for alert, home in moved.items()]
        await session.execute(_MOVE, {"moved": as_json(rows)})


async def note_what_came(session: Transaction, came: Iterable[Came], on: date) -> None:
    """Put on the timeline what came of itself."""
    rows = [{"id": uuid4(), "case_id": each.case.id, "action": each.what, "done_on": on} for each in came]
    if rows:
        await session.execute(_CAME, {"came": as_json(rows)})


def as_case(row: Row[Any] | CaseRow) -> Case:
    """The case of a row that has its columns."""
    return Case(**{name: getattr(row, name) for name in COLUMNS})


def undoable(case: Case) -> dict[str, object]:
    """What an undoing brings back."""
    return {field.name: getattr(case, field.name) for field in fields(case) if field.name not in FOLLOWED}


_CASE: Final = TypeAdapter(Case)


def restored(case: Case, before: Mapping[str, object]) -> Case:
    """The case as it was before an action, but for what alerts have made of it since."""
    return _CASE.validate_python({**asdict(case), **before})


async def is_told(session: Transaction, caller: Caller, case: UUID) -> bool:
    """Whether the caller gets outcomes: by the token, and the case's agency by the agreement."""
    if not caller.has(HOUSING_STATUS):
        return False
    disclosed = is_disclosed(HOUSING_STATUS, CaseRow.agency, CaseRow.school_id)
    return bool(await session.scalar(select(disclosed).where(CaseRow.id == case)))
