"""The database that a command is about, whether or not a stack runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.common import CommandError
from services.cli.output import say
from services.ingest.settings import IngestSettings
from services.platform.database import make_engine
from services.platform.embedded.endpoints import read_stack, stack_database
from services.platform.embedded.stack import running_database
from services.platform.roles import as_role, require_membership, role_of
from services.platform.settings import Settings
from services.registry import SERVICES


def known_database(settings: Settings, service: str) -> str | None:
    """The service's URL of the database of what runs, or that of the settings; None when nothing is to be asked."""
    stack = read_stack(settings.data_dir)
    if stack is not None:
        return stack_database(stack, service)
    return None if settings.database is None else settings.require_database()


def running(settings: IngestSettings, service: str) -> IngestSettings | None:
    """The settings, pointed at the Kafka and the service's database of what runs; None when nothing does."""
    stack = read_stack(settings.data_dir)
    if stack is not None:
        return settings.on(stack.kafka, stack_database(stack, service))
    return settings if settings.kafka is not None and settings.database is not None else None


@contextmanager
def answering() -> Iterator[None]:
    """Raises `CommandError` when the database does not answer what is asked inside."""
    try:
        yield
    except SQLAlchemyError as error:
        message = f"The database does not answer ({type(error).__name__}). Look at `firstbell doctor`."
        raise CommandError(message) from error


@asynccontextmanager
async def found_database(settings: Settings, service: str) -> AsyncIterator[str]:
    """The known database, or the one in the data folder, started for this.

    The URL is the service's. Raises `CommandError` when the database does not answer what is asked inside.
    """
    known = known_database(settings, service)
    with answering():
        if known is not None:
            yield known
        else:
            async with running_database(settings, SERVICES, say=say) as url:
                yield url


@asynccontextmanager
async def found_engine(
    settings: Settings, service: str, *, pool_size: int = 1
) -> AsyncIterator[tuple[AsyncEngine, str]]:
    """An engine of the service on the database that `found_database` finds, and its URL; raises what that does."""
    async with found_database(settings, service) as url:
        engine = make_engine(url, service=service, pool_size=pool_size)
        try:
            yield engine, url
        finally:
            await engine.dispose()


@asynccontextmanager
async def found_databases(settings: Settings, *services: str) -> AsyncIterator[list[str]]:
    """The database that a command is about, as each of these services: none sees another's tables.

    Raises what `found_database` does, and `RolesError` when the user of the settings may not become them.
    """
    stack = read_stack(settings.data_dir)
    with answering():
        if stack is not None:
            yield [stack_database(stack, service) for service in services]
        elif settings.database is not None:
            url = settings.require_database()
            await asyncio.to_thread(require_membership, url, SERVICES)
            yield [as_role(url, role_of(service)) for service in services]
        else:
            async with running_database(settings, SERVICES, say=say) as url:
                yield [as_role(url, role_of(service)) for service in services]
