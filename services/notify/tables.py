"""The tables of the schema `notify`, as its migrations make them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, FetchedValue, MetaData, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What the tables have in common."""

    metadata = MetaData(schema="notify")


class AlertRow(Base):
    """An alert after its event `seq`."""

    __tablename__ = "alerts"

    alert_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    student: Mapped[str]
    school_id: Mapped[str | None]
    family: Mapped[str]
    team: Mapped[str]
    level: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    changed_on: Mapped[date]
    is_open: Mapped[bool]


class ToldRow(Base):
    """The level that a team last heard of a household, and by which alert."""

    __tablename__ = "told"

    family: Mapped[str] = mapped_column(primary_key=True)
    team: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str]
    alert_id: Mapped[UUID]


class OutboxRow(Base):
    """One mail to one recipient, from pending to sent, failed or cancelled."""

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    event_id: Mapped[UUID]
    alert_id: Mapped[UUID]
    student: Mapped[str]
    school_id: Mapped[str | None]
    family: Mapped[str]
    recipient: Mapped[str]
    kind: Mapped[str]
    level: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    changed_on: Mapped[date]
    status: Mapped[str] = mapped_column(server_default=FetchedValue())
    attempts: Mapped[int] = mapped_column(server_default=FetchedValue())
    next_attempt_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=FetchedValue())
    not_before: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_error: Mapped[str | None]
    reason: Mapped[str | None]
    after_end: Mapped[bool] = mapped_column(server_default=FetchedValue())
    caused_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=FetchedValue())
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
