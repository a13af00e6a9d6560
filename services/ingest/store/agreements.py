"""The versions of the agreement, and the one that holds now."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import Agreement
from services.ingest.store import attendance, records
from services.platform.errors import OperatorError

_IN_FORCE = text("SELECT document::text FROM ingest.agreement_in_force")

_APPLIED = text("SELECT DISTINCT id FROM ingest.agreements")
_SAME = text("SELECT digest FROM ingest.agreements WHERE id = :id AND version = :version")
_NEWEST = text("SELECT max(version) FROM ingest.agreements WHERE id = :id")
_ALONE = text("LOCK TABLE ingest.agreements IN SHARE ROW EXCLUSIVE MODE")

_ADD = text("""
    INSERT INTO ingest.agreements (id, version, digest, document, effective_on, expires_on)
    VALUES (:id, :version, :digest, CAST(:document AS jsonb), :effective_on, :expires_on)
    RETURNING applied
""")

_DISCLOSE = text("""
    INSERT INTO ingest.disclosures (applied, recipient, purpose, form, record, school_id)
    SELECT :applied, :recipient, :purpose, :form, record, school
    FROM unnest(CAST(:records AS text[])) AS r (record), unnest(CAST(:schools AS text[])) AS s (school)
""")

_RENEW = text("""
    WITH now AS (
        SELECT coalesce((SELECT applied FROM ingest.agreement_in_force), 0) AS applied
    ), renewed AS (
        INSERT INTO ingest.settled_under AS s (applied) SELECT applied FROM now
        ON CONFLICT (singleton) DO UPDATE SET applied = excluded.applied WHERE s.applied <> excluded.applied
        RETURNING s.applied
    )
    UPDATE ingest.students
    SET next_change = (SELECT ingest.today()), enrollment_pending = true, revision = revision + 1
    WHERE EXISTS (SELECT FROM renewed) AND NOT held
""")

_CHANGED = text("""
    SELECT EXISTS (SELECT FROM ingest.agreements) AND coalesce((SELECT applied FROM ingest.agreement_in_force), 0)
           IS DISTINCT FROM coalesce((SELECT applied FROM ingest.settled_under), 0)
""")
_SHARED = text("SELECT pg_advisory_xact_lock_shared(727003)")
_EXCLUSIVE = text("SELECT pg_advisory_xact_lock(727003)")

_LAST = text("SELECT document::text FROM ingest.agreements ORDER BY applied DESC LIMIT 1")
_NEWEST_OF = text("SELECT document::text FROM ingest.agreements WHERE id = :id ORDER BY version DESC LIMIT 1")


class NoAgreementError(OperatorError):
    """Nothing may be taken in now."""

    def __init__(self) -> None:
        super().__init__(
            "No agreement is in force, so nothing may be taken in. Put one in force with `firstbell agreement apply "
            "FILE`; `firstbell agreement init` prints one to begin with (set its dates), `firstbell agreement show` "
            "says what is known."
        )


class VersionError(OperatorError):
    """The version cannot be applied."""


async def in_force(connection: AsyncConnection) -> Agreement | None:
    """The agreement that holds now, by the one clock."""
    document: str | None = await connection.scalar(_IN_FORCE)
    return None if document is None else _parsed(document)


async def applied(connection: AsyncConnection) -> set[str]:
    """The ids of all agreements that were ever applied."""
    return set((await connection.execute(_APPLIED)).scalars())


async def hold(connection: AsyncConnection) -> None:
    """Until the transaction ends no other agreement makes consents due: it would wait for rows in another order."""
    await connection.execute(_SHARED)


async def required(connection: AsyncConnection) -> Agreement:
    """The agreement that holds now, and until the transaction ends no other is settled; raises `NoAgreementError`."""
    await hold(connection)
    agreement = await in_force(connection)
    if agreement is None:
        raise NoAgreementError
    return agreement


async def apply(connection: AsyncConnection, agreement: Agreement) -> bool:
    """Keep a version; from its first day on it holds. Whether it is new: the same one again changes nothing.

    Raises `VersionError` for another document under a version that is kept, and for a version before the newest.
    """
    await connection.execute(_ALONE)
    same = await connection.scalar(_SAME, {"id": agreement.id, "version": agreement.version})
    if same is not None:
        if same != agreement.digest:
            raise VersionError(
                f"Version {agreement.version} of {agreement.id} is kept already and says something else. "
                "A change is a new version: raise `version` in the file."
            )
        return False
    newest: int | None = await connection.scalar(_NEWEST, {"id": agreement.id})
    if newest is not None and newest > agreement.version:
        raise VersionError(
            f"Version {newest} of {agreement.id} is newer than this one, {agreement.version}. Raise `version` in the "
            "file if it is to hold from now on."
        )
    given = {
        "id": agreement.id,
        "version": agreement.version,
        "digest": agreement.digest,
        "document": agreement.model_dump_json(),
        "effective_on": agreement.effective_on,
        "expires_on": agreement.expires_on,
    }
    applied = await connection.scalar(_ADD, given)
    for each in agreement.disclosure:
        await connection.execute(
            _DISCLOSE,
            {
                "applied": applied,
                "recipient": each.to,
                "purpose": each.purpose,
                "form": each.form,
                "records": list(each.records),
                "schools": list(each.schools),
            },
        )
    await renew(connection)
    return True


async def renew(connection: AsyncConnection) -> None:
    """When another agreement holds than at the last call, every consent is due, and enrollments are published anew.

    What is kept of schools that it does not share is gone at once.

    Until a consent has been looked at again nobody passes by it. Nothing is due before there was any agreement.
    """
    if await connection.scalar(_CHANGED):
        await connection.execute(_EXCLUSIVE)
        await connection.execute(_RENEW)
        await attendance.drop_unshared(connection)
        await records.drop_unshared(connection)


async def last_applied(connection: AsyncConnection) -> Agreement | None:
    """The version that was applied last, in force or not."""
    document: str | None = await connection.scalar(_LAST)
    return None if document is None else _parsed(document)


async def newest(connection: AsyncConnection, agreement: str) -> Agreement | None:
    """The newest version of the agreement of this id, in force or not; None when there never was one."""
    document: str | None = await connection.scalar(_NEWEST_OF, {"id": agreement})
    return None if document is None else _parsed(document)


@lru_cache(maxsize=8)
def _parsed(document: str) -> Agreement:
    return Agreement.model_validate_json(document)
