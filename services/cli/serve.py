"""`firstbell ingest|warning|casework|notify`: one service alone, against FIRSTBELL_KAFKA and FIRSTBELL_DATABASE."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

import click

from services.platform.settings import SettingsError

SERVICES = {
    "ingest": "Take marks, consents, enrollments and school days over HTTP.",
    "warning": "Keep each consented student's windows and raise alerts (a Faust worker).",
    "casework": "Keep the alert history and answer for it over HTTP.",
    "notify": "Mail level changes to the people of a school's team.",
}


def _command(name: str, summary: str) -> click.Command:
    @click.command(name, short_help=summary)
    def serve() -> None:
        # Imported here, so that one service does not load what another stands on.
        main: Callable[[], None] = import_module(f"services.{name}.app").main
        try:
            main()
        except SettingsError as error:
            click.echo(f"firstbell: {error}", err=True)
            sys.exit(1)

    serve.help = f"{summary}\n\nRuns until Ctrl-C or SIGTERM, on loopback. Settings are FIRSTBELL_… (see .env.example)."
    return serve


def service_commands() -> list[click.Command]:
    """One command for each service."""
    return [_command(name, summary) for name, summary in SERVICES.items()]
