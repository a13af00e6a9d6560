"""The database that a command is about, whether or not a stack runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from services.cli.common import CommandError
from services.cli.output import say
from services.platform.embedded.endpoints import read_stack, stack_database
from services.platform.embedded.stack import running_database
from services.platform.settings import Settings
from services.registry import SERVICES


@asynccontextmanager
async def found_database(settings: Settings, service: str) -> AsyncIterator[str]:
    """The database of what runs, or that of the settings, or the one in the data folder, started for this.

    The URL is the service's. Raises `CommandError` when the database does not answer what is asked inside.
    """
    stack = read_stack(settings.data_dir)
    try:
        if stack is not None:
            yield stack_database(stack, service)
        elif settings.database is not None:
            yield settings.require_database()
        else:
            async with running_database(settings, SERVICES, say=say) as url:
                yield url
    except SQLAlchemyError as error:
        message = f"The database does not answer ({type(error).__name__}). Look at `firstbell doctor`."
        raise CommandError(message) from error
