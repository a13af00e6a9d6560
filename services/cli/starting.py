"""The system that a command hands rows to: what runs, else a stack started for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.cli.database import running
from services.cli.output import say
from services.ingest.intake import SERVICE
from services.ingest.settings import IngestSettings
from services.platform.embedded.endpoints import Stack, stack_database
from services.platform.embedded.stack import running_stack
from services.registry import SERVICES


@asynccontextmanager
async def stack_for(settings: IngestSettings, command: str) -> AsyncIterator[tuple[IngestSettings, Stack | None]]:
    """Settings that point at a running system, and the stack when it was started for this."""
    pointed = running(settings, SERVICE)
    if pointed is not None:
        yield pointed, None
    else:
        say(f"Nothing is running here: starting the stack for this {command} …")
        async with running_stack(settings, SERVICES, say=say) as started:
            yield settings.on(started.kafka, stack_database(started, SERVICE)), started
