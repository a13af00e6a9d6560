"""`firstbell ingest|warning|casework|notify`: one service alone, against FIRSTBELL_KAFKA and FIRSTBELL_DATABASE."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

import click

from services.platform.embedded.gate import wait_until_open
from services.platform.settings import SettingsError


def _serving(name: str, summary: str) -> click.Command:
    @click.command(name, help=f"{summary}\n\nRuns on loopback until Ctrl-C or SIGTERM. Settings: see .env.example.")
    def serve() -> None:
        run: Callable[[], None] = import_module(f"services.{name}.app").main
        wait_until_open()
        try:
            run()
        except SettingsError as error:
            click.echo(f"firstbell: {error}", err=True)
            sys.exit(1)

    return serve


ingest = _serving("ingest", "Take marks, consents, enrollments and school days over HTTP.")
warning = _serving("warning", "Keep each consented student's windows and raise alerts (a Faust worker).")
casework = _serving("casework", "Keep the alert history and answer for it over HTTP.")
notify = _serving("notify", "Mail level changes to the people of a school's team.")
