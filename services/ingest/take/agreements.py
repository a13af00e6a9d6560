"""The agreement: put in force, and asked for."""

from __future__ import annotations

from services.ingest.agreement.document import Agreement
from services.ingest.context import IngestContext
from services.ingest.store import agreements


async def apply(parts: IngestContext, agreement: Agreement) -> bool:
    """Keep a version; from its first day on it holds. Whether it is new; raises `VersionError`."""
    async with parts.engine.begin() as connection:
        return await agreements.apply(connection, agreement)


async def required_now(parts: IngestContext) -> Agreement:
    """The agreement that holds now; raises `NoAgreementError`."""
    async with parts.engine.connect() as connection:
        return await agreements.required(connection)
