"""Destruction: of what is kept of one student, or under an agreement; by command, or on the agreement's `destroy_by`.

It goes the way of every erasure, some students a transaction, and leaves a receipt. Interrupted, it is gone on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.agreement.document import Agreement
from services.ingest.context import IngestContext
from services.ingest.erasure import receipts
from services.ingest.erasure.erase import erase
from services.ingest.identity.pseudonyms import Pseudonymizer
from services.ingest.store import agreements, gate, ledger, students
from services.ingest.store.students import StudentRecord
from services.platform.audit.entry import AuditEntry
from services.platform.audit.log import write_entries
from services.platform.erasure.entry import LedgerEntry
from services.platform.sharing import ANY

AT_ONCE: Final = 200
"""Students of a transaction: nobody else writes to the ledger meanwhile."""
ACTION: Final = "destruction"
BY_ITSELF: Final = "destroy_by"
"""Who destroys when the agreement's day has come."""
COMMAND: Final = "destroy"

_NAMED: Final = text("""
    SELECT DISTINCT agreement_id FROM ingest.consents
    WHERE student = ANY (CAST(:students AS integer[])) AND agreement_id <> '' ORDER BY 1
""")
_CONSENTS: Final = text("""
    DELETE FROM ingest.consents c USING ingest.students s
    WHERE s.id = c.student AND NOT s.held AND c.agreement_id = :agreement
""")
_DUE: Final = text("""
    SELECT id FROM (SELECT DISTINCT ON (id) id, version, document FROM ingest.agreements ORDER BY id, version DESC) a
    WHERE CAST(document ->> 'destroy_by' AS date) <= ingest.today() AND NOT EXISTS (
        SELECT FROM erasure.receipts r
        WHERE (r.agreement, r.version, r.by) = (a.id, a.version, :by) AND r.ended_at IS NOT NULL)
    ORDER BY id
""")


class Whom(NamedTuple):
    """Who destroys."""

    subject: str
    """As the audit and the receipt say it."""
    role: str
    command: str
    """As the ledger says it, which never names anybody."""


ITSELF: Final = Whom("ingest", "service", BY_ITSELF)


async def destroy_student(engine: AsyncEngine, names: Pseudonymizer, student_id: str, whom: Whom) -> UUID | None:
    """Erase the student of this district's id from every feed; the receipt, or None when nothing is kept.

    No consent that was signed before today counts again.
    """
    async with engine.begin() as connection:
        await ledger.alone(connection)
        locked = await students.lock_every_feed(connection, student_id)
        if not locked:
            return None
        named = list(await connection.scalars(_NAMED, {"students": [student.id for student in locked]}))
        in_force = await agreements.in_force(connection)
        if in_force is not None and in_force.id not in named:
            named.append(in_force.id)
        today = await gate.today(connection)
        proofs = await _erase(connection, names, locked, whom, named[0] if named else "", today)
        digest = names.digest(student_id)
        await ledger.add(connection, [_never_again(digest, agreement, whom, today) for agreement in named])
        clause = "at the district's request" + ("" if in_force is None else f", under {_title(in_force)}")
        receipt = await receipts.begin(connection, by=whom.subject, clause=clause)
        await receipts.add(connection, receipt, proofs)
        await receipts.end(connection, receipt)
        return receipt


async def destroy_agreement(engine: AsyncEngine, names: Pseudonymizer, agreement: Agreement, whom: Whom) -> UUID:
    """Erase all who are kept because of consents to the agreement, in every form; the receipt.

    Who has also consented to another one that is in force is kept for that one, without the consent to this.
    """
    clause = f"{_title(agreement)}: destroy_by {agreement.destroy_by}"
    async with engine.begin() as connection:
        await ledger.alone(connection)
        receipt = await receipts.begin(
            connection, by=whom.subject if whom is not ITSELF else BY_ITSELF, clause=clause,
            agreement=agreement.id, version=agreement.version,
        )  # fmt: skip
    while await _destroy_some(engine, names, agreement.id, receipt, whom):
        pass
    async with engine.begin() as connection:
        await ledger.alone(connection)
        left = (await connection.execute(_CONSENTS, {"agreement": agreement.id})).rowcount
        await receipts.end(connection, receipt, left)
    return receipt


async def destroy_due(parts: IngestContext) -> list[UUID]:
    """Destroy what is kept under agreements whose `destroy_by` has come, each once; the receipts."""
    async with parts.engine.connect() as connection:
        due = [
            agreement
            for id_ in (await connection.scalars(_DUE, {"by": BY_ITSELF})).all()
            if (agreement := await agreements.newest(connection, id_)) is not None
        ]
    return [await destroy_agreement(parts.engine, parts.names, agreement, ITSELF) for agreement in due]


async def _destroy_some(engine: AsyncEngine, names: Pseudonymizer, agreement: str, receipt: UUID, whom: Whom) -> bool:
    """Whether there was anybody."""
    async with engine.begin() as connection:
        await ledger.alone(connection)
        locked = await students.lock_under(connection, agreement, AT_ONCE)
        if not locked:
            return False
        today = await gate.today(connection)
        proofs = await _erase(connection, names, locked, whom, agreement, today)
        await receipts.add(connection, receipt, proofs)
    return True


async def _erase(
    connection: AsyncConnection,
    names: Pseudonymizer,
    locked: Sequence[StudentRecord],
    whom: Whom,
    agreement: str,
    today: date,
) -> list[UUID]:
    consents = {str(student.pseudonym): student.run and student.run.start for student in locked}
    entry = AuditEntry(subject=whom.subject, role=whom.role, agency=None, action=ACTION, students=consents)
    await write_entries(connection, [entry])
    return await erase(
        connection, names, locked, because="destroyed", ended_on=today, by=whom.command, agreement=agreement
    )


def _never_again(digest: bytes, agreement: str, whom: Whom, today: date) -> LedgerEntry:
    return LedgerEntry(
        id=uuid4(),
        student=ledger.entry_digest(digest),
        agreement=agreement,
        recipient=ANY,
        because="destroyed",
        ended_on=today,
        at=datetime.now(UTC),
        by=whom.command,
    )


def _title(agreement: Agreement) -> str:
    return f"{agreement.id}, version {agreement.version}"
