"""The tables of the schema `casework`, as its migrations make them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import BigInteger, DateTime, FetchedValue, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What the tables have in common."""

    metadata = MetaData(schema="casework")


class AlertRow(Base):
    """An alert as it stands after its event `seq`; of an erased student it is only known that there was one."""

    __tablename__ = "alerts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    student: Mapped[str]
    household: Mapped[str | None]
    agency: Mapped[str | None]
    school_id: Mapped[str | None]
    level: Mapped[str | None]
    status: Mapped[str]
    raised_on: Mapped[date]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reasons: Mapped[list[dict[str, JsonValue]] | None] = mapped_column(JSONB)
    case_id: Mapped[UUID | None]


class AlertEventRow(Base):
    """One step of an alert's life; rows are inserted and never updated, and deleted when the student is erased."""

    __tablename__ = "alert_events"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str]
    level: Mapped[str]
    previous_level: Mapped[str | None]
    changed_on: Mapped[date]
    because: Mapped[str]
    superseded: Mapped[bool]
    caused_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ActionRow(Base):
    """One thing that was done about an alert; only `published_at` is ever updated. Erased with the student."""

    __tablename__ = "actions"

    action_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    alert_id: Mapped[UUID]
    action: Mapped[str]
    outcome: Mapped[str | None]
    on: Mapped[date] = mapped_column("done_on")
    at: Mapped[datetime] = mapped_column("taken_at", DateTime(timezone=True), server_default=FetchedValue())
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    of_case: Mapped[dict[str, JsonValue] | None] = mapped_column(JSONB)
    """What the event says of an action on the whole case."""


class CaseRow(Base):
    """A case; what it can be is `cases.states.Case`."""

    __tablename__ = "cases"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str | None]
    family: Mapped[str | None]
    school_id: Mapped[str | None]
    level: Mapped[str | None]
    state: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    opened_on: Mapped[date]
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=FetchedValue())
    ended_on: Mapped[date | None]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=FetchedValue())
    waiting_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    owner: Mapped[str | None]
    taken_on: Mapped[date | None]
    contact_by: Mapped[date | None]
    first_contact_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_contact_on: Mapped[date | None]
    due_on: Mapped[date | None]
    snoozed_until: Mapped[date | None]
    until_worse: Mapped[bool]
    snoozed_level: Mapped[str | None]
    referred_to: Mapped[str | None]
    referred_by: Mapped[str | None]
    referral_expires_on: Mapped[date | None]
    referral_accepted: Mapped[bool]
    returned: Mapped[str | None]
    outcome: Mapped[str | None]


class CaseActionRow(Base):
    """Something that was done about a case, or that came of itself (without a subject). Erased with its students."""

    __tablename__ = "case_actions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    case_id: Mapped[UUID]
    action: Mapped[str]
    subject: Mapped[str | None]
    role: Mapped[str | None]
    on: Mapped[date] = mapped_column("done_on")
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=FetchedValue())
    given: Mapped[dict[str, JsonValue]] = mapped_column(JSONB)
    before: Mapped[dict[str, JsonValue] | None] = mapped_column(JSONB)
    undone: Mapped[bool] = mapped_column(server_default=FetchedValue())
