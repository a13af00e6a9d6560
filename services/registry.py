"""The services: the one list of them. Commands, stack, migrations and checks are given it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.platform.service import ServiceSpec

_HERE: Final = Path(__file__).resolve().parent


def _service(name: str, summary: str, *, schema: bool = True) -> ServiceSpec:
    return ServiceSpec(
        name=name,
        summary=summary,
        module=f"services.{name}.app",
        command=("-m", "services.cli.main", name),
        migrations=_HERE / name / "migrations" if schema else None,
    )


SERVICES: Final = (
    _service("ingest", "Take marks, consents, enrollments and school days over HTTP."),
    _service("warning", "Keep windows and raise alerts (a Faust worker).", schema=False),
    _service("casework", "Keep the alert history and answer for it over HTTP."),
    _service("notify", "Mail level changes to the people of a school's team."),
)
