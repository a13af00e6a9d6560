"""What the route of a student's access answers with."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class MaySee(BaseModel):
    """A role that may see the student now."""

    role: str
    agency: str | None
    """Of whom they are; null for the district's own."""
    disclosure: str | None
    """The agreement and its version, and the purpose."""
    consent: date | None
    """Since when the consent for it is in force."""


class HasLooked(BaseModel):
    """Somebody who was shown something of the student."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    subject: str
    role: str
    action: str
    """Method and path that were asked, or `mail`."""


class StudentAccess(BaseModel):
    """Who may see a student, and who has looked, the latest first."""

    may: list[MaySee]
    looked: list[HasLooked]
