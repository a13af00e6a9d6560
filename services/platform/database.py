"""The one place that makes database engines and sessions, and says to the database who asks.

Row-level security gives a row to whoever says, in each transaction anew, who asks: the service (`firstbell.service`)
and the caller whom it serves (`firstbell.role`, `firstbell.agency`, `firstbell.schools`). Both end with it. An engine
that serves no caller may say the service once, for as long as it is connected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

Transaction = AsyncSession | AsyncConnection
"""What statements are executed in."""

BETWEEN: Final = "\x1f"
"""Between the schools of `firstbell.schools`: never inside an id, for ids are printable."""


@dataclass(frozen=True, slots=True)
class CallerContext:
    """For whom a service asks. `schools` None is every school that the service may see, an empty list is none."""

    role: str
    agency: str | None = None
    schools: Collection[str] | None = None

    def settings(self) -> dict[str, str]:
        """The database's settings that say so; raises `ValueError` for a value that no id can be."""
        given = [self.role, self.agency or "", *(self.schools or ())]
        if not all(value.isprintable() for value in given) or not self.role or "" in (self.schools or ()):
            raise ValueError("a role, an agency or a school is empty or not printable")
        # A list always begins with the separator, so that one of no schools is not taken for one that is unset.
        schools = "" if self.schools is None else BETWEEN + BETWEEN.join(self.schools)
        return {"role": self.role, "agency": self.agency or "", "schools": schools}


_caller: ContextVar[CallerContext | None] = ContextVar("caller", default=None)


@contextmanager
def caller_context(role: str, *, agency: str | None = None, schools: Collection[str] | None = None) -> Iterator[None]:
    """Every transaction that begins inside, in this task, is the caller's: what is not theirs is not there.

    Raises `ValueError` for a value that no id can be.
    """
    caller = CallerContext(role, agency, schools)
    caller.settings()
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


@contextmanager
def service_context() -> Iterator[None]:
    """Inside, the service acts for itself: what follows for a whole household from what a caller may do about it."""
    token = _caller.set(None)
    try:
        yield
    finally:
        _caller.reset(token)


def make_engine(url: str, *, service: str | None = None, pool_size: int = 5, ping: bool = True) -> AsyncEngine:
    """An async engine; it connects at first use, notices a dead connection, and logs no values with an error.

    Its transactions are those of `service`; without one row-level security gives it nothing. Without `ping` it notices
    a dead connection by an `OperationalError` of the next statement: for those who try again anyway.
    """
    arguments: dict[str, Any] = {} if service is None else {"autocommit": True}
    engine = create_async_engine(
        url, pool_size=pool_size, pool_pre_ping=ping, pool_recycle=1800, hide_parameters=True, connect_args=arguments
    )
    if service is not None:
        _begin_as(engine, service)
    return engine


def make_lone_engine(url: str, *, service: str) -> AsyncEngine:
    """An engine of one connection that is the service's alone, whoever calls: each statement is a transaction.

    So a statement is one round trip. It notices a dead connection as `make_engine` does without `ping`.
    """
    engine = create_async_engine(
        url, pool_size=1, max_overflow=0, pool_recycle=1800, hide_parameters=True, isolation_level="AUTOCOMMIT"
    )

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT set_config('firstbell.service', %s, false)", (service,))
        cursor.close()

    return engine


def _begin_as(engine: AsyncEngine, service: str) -> None:
    """Begin each transaction with who asks, in one round trip: the driver, in its autocommit mode, sends no BEGIN."""
    alone = begin_statement(service, None)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        caller = _caller.get()
        statement = alone if caller is None else begin_statement(service, caller)
        # Several statements at once, which the protocol takes without parameters alone.
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def begin_statement(service: str, caller: CallerContext | None) -> str:
    """What begins a transaction of the service, for the caller."""
    settings = {"service": service} | (caller.settings() if caller else {})
    put = sql.SQL("set_config({}, {}, true)")
    puts = [put.format(sql.Literal(f"firstbell.{name}"), sql.Literal(value)) for name, value in settings.items()]
    return sql.SQL("BEGIN; SELECT {}").format(sql.SQL(", ").join(puts)).as_string(None)


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """A factory of sessions; a unit of work commits at its edge."""
    return async_sessionmaker(engine, expire_on_commit=False)
