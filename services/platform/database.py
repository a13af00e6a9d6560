"""The one place that makes database engines and sessions."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine


def make_engine(url: str, *, pool_size: int = 5, ping: bool = True) -> AsyncEngine:
    """An async engine; it connects at first use, notices a dead connection, and logs no values with an error.

    Without `ping` it notices by an `OperationalError` of the next statement: for those who try again anyway.
    """
    return create_async_engine(url, pool_size=pool_size, pool_pre_ping=ping, pool_recycle=1800, hide_parameters=True)


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """A factory of sessions; a unit of work commits at its edge."""
    return async_sessionmaker(engine, expire_on_commit=False)
