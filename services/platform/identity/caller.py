"""Who asks, as a token says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

Role = Literal["district", "steward", "caseworker", "supervisor", "lead", "operator", "service"]
"""district hands data in, steward looks after what is shared, caseworker and supervisor work with alerts, lead sees
aggregates, operator no student at all; service is ours, between the services, and no person has it."""

PEOPLE: Final[tuple[Role, ...]] = tuple(role for role in get_args(Role) if role != "service")
"""The roles that an issuer gives to people and their systems."""
OF_AN_AGENCY: Final[tuple[Role, ...]] = ("caseworker", "supervisor")
"""Roles that see what their own agency gets."""
NO_AGENCY: Final = "-"
"""The id of no agency."""
SERVICE_ALONE: Final[tuple[Role, ...]] = ("service",)
"""What our own key gives."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; the token that says so has been checked."""

    subject: str
    role: Role
    agency: str | None
    schools: frozenset[str] | None
    """None means all."""
    records: frozenset[str] | None
    """Kinds of records; None means all."""
    expires_at: datetime

    @property
    def confined_to(self) -> str | None:
        """The agency whose alone everything is that the caller may see; None means every agency's."""
        return (self.agency or NO_AGENCY) if self.role in OF_AN_AGENCY else None

    def has(self, record: str) -> bool:
        """Whether the caller may see this kind of records."""
        return self.records is None or record in self.records

    def covers(self, school_id: str | None) -> bool:
        """Whether what is of this school is within what the caller may see."""
        return self.schools is None or school_id in self.schools
