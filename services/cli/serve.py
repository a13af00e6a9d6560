"""`firstbell SERVICE`: one service alone, against FIRSTBELL_KAFKA and FIRSTBELL_DATABASE."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

import click

from services.platform.embedded.gate import wait_until_open
from services.platform.service import ServiceSpec
from services.platform.settings import SettingsError


def serving(service: ServiceSpec) -> click.Command:
    """The command that runs a service."""

    how = "Runs until Ctrl-C or SIGTERM, on loopback unless FIRSTBELL_HOST says otherwise. Settings: see .env.example."

    @click.command(service.name, help=f"{service.summary}\n\n{how}")
    def serve() -> None:
        run: Callable[[], None] = import_module(service.module).main
        wait_until_open()
        try:
            run()
        except SettingsError as error:
            click.echo(f"firstbell: {error}", err=True)
            sys.exit(1)

    return serve
