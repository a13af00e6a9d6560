"""Everything held about one student, as data: what the page is made of, and what `--json` writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, JsonValue

from services.casework.inspection import HeldAlert
from services.ingest.inspection.schemas import HeldByIngest
from services.notify.inspection import HeldByNotify


class HeldWindow(BaseModel):
    """The student's attendance as the worker counts it now; `document` is None unless it is `held`."""

    state: Literal["held", "none", "away"]
    document: dict[str, JsonValue] | None = None


class OpenedInspection(BaseModel):
    """The inspection that the document is made for."""

    id: int
    opened_on: date
    due_on: date


class InspectionDocument(BaseModel):
    """Everything held about one student, and everyone who was shown some of it."""

    student_id: str
    made_at: datetime
    made_by: str
    inspection: OpenedInspection
    ingest: HeldByIngest
    alerts: list[HeldAlert]
    notify: HeldByNotify
    windows: Mapping[str, HeldWindow]
    """Of what flows, by pseudonym."""
