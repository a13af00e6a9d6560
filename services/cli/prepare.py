"""`firstbell prepare`: what services started alone expect to find."""

from __future__ import annotations

import asyncio

import click

from services.cli.common import failing, load_settings, log_quietly
from services.platform.embedded.endpoints import Endpoints
from services.platform.embedded.stack import prepare_services
from services.platform.settings import Settings
from services.registry import SERVICES


@click.command()
def prepare() -> None:
    """Create the topics in FIRSTBELL_KAFKA and migrate FIRSTBELL_DATABASE; what is there already stays.

    `firstbell up` does this by itself. Exit status: 0 done; 1 failed, the message says why.
    """
    log_quietly()
    settings = load_settings(Settings, None)
    with failing():
        endpoints = Endpoints(settings.require_kafka(), settings.require_database(), settings.smtp or "")
        asyncio.run(prepare_services(endpoints, SERVICES, settings=settings))
    click.echo("Topics and schemas are there.")
