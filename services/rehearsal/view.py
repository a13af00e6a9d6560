"""What a demo shows while it runs, and its figures in the end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.alerts import LEVELS
from services.contracts.ids import case_number
from services.ingest.imports.replayer import ReplayedDay
from services.platform.embedded.endpoints import Stack
from services.platform.lag import read_lag
from services.rehearsal.new_alerts import NewAlerts

NEWEST = 8
RATE_DAYS = 10
LAG_SECONDS = 2.0
_STYLE = {"watch": "yellow", "elevated": "dark_orange", "urgent": "bold red"}

_ALERTS = text(
    "SELECT id, level, status, raised_on, reasons FROM casework.nameless_alerts ORDER BY updated_at DESC LIMIT :most"
)
_COUNTS = text("""
    SELECT (SELECT count(*) FROM casework.nameless_alerts WHERE status = 'open'),
           (SELECT count(*) FROM notify.mails WHERE status = 'sent')
""")
_LEVELS = text("SELECT level, count(*) AS n FROM casework.nameless_alerts GROUP BY level")
_MARKS = text("SELECT marks FROM ingest.figures")
_MAILS = text("SELECT count(*) FROM notify.mails WHERE status = 'sent'")
_TO_ALERT = text("""
    SELECT percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (
        ORDER BY extract(epoch FROM stored_at - caused_at) * 1000)
    FROM casework.stored_events
""")
_TO_MAIL = text("""
    SELECT percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (
        ORDER BY extract(epoch FROM sent_at - caused_at) * 1000)
    FROM notify.mails WHERE status = 'sent'
""")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds; None when there was nothing to measure."""

    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """A demo's summary."""

    students: int
    marks: int
    alerts: dict[str, int]
    new_alerts: NewAlerts
    mails: int
    seconds: float
    mark_to_alert_ms: Latency
    mark_to_mail_ms: Latency

    @classmethod
    async def read(cls, engine: AsyncEngine, students: int, new_alerts: NewAlerts, seconds: float) -> Figures:
        """The figures as the database has them; latencies by PostgreSQL's own commit timestamps."""
        async with engine.connect() as connection:
            levels: dict[str, int] = {row.level: row.n for row in await connection.execute(_LEVELS)}
            return cls(
                students=students,
                marks=(await connection.execute(_MARKS)).scalar_one(),
                alerts={level: levels.get(level, 0) for level in LEVELS},
                new_alerts=new_alerts,
                mails=(await connection.execute(_MAILS)).scalar_one(),
                seconds=round(seconds, 1),
                mark_to_alert_ms=_latency((await connection.execute(_TO_ALERT)).scalar_one()),
                mark_to_mail_ms=_latency((await connection.execute(_TO_MAIL)).scalar_one()),
            )

    def document(self) -> dict[str, object]:
        """The figures as `--json` gives them."""
        return asdict(self)


def _latency(percentiles: Sequence[Any] | None) -> Latency:
    if percentiles is None:
        return Latency(None, None)
    return Latency(*(round(float(value), 1) for value in percentiles))


def summary(figures: Figures) -> list[str]:
    """The figures for people."""
    levels = ", ".join(f"{number:,} {level}" for level, number in figures.alerts.items())
    return [
        f"A school year of {figures.students:,} simulated students in {figures.seconds:.0f} s, start included.",
        f"  marks kept      {figures.marks:,} (consented students only)",
        f"  alerts          {levels}",
        *(f"  {title:<16}{said}" for title, said in figures.new_alerts.summary()),
        f"  mails           {figures.mails:,}",
        f"  mark to alert   {_shown(figures.mark_to_alert_ms)}",
        f"  mark to mail    {_shown(figures.mark_to_mail_ms)}",
    ]


def _shown(latency: Latency) -> str:
    if latency.p50 is None or latency.p99 is None:
        return "nothing to measure"
    return f"{latency.p50:,.0f} ms median, {latency.p99:,.0f} ms at the 99th percentile"


class DemoView:
    """A live view on stderr: the day, marks a second, lag, the newest alerts with their reasons, mails."""

    def __init__(self, engine: AsyncEngine, stack: Stack, live: Live) -> None:
        self._engine = engine
        self._stack = stack
        self._live = live
        self._days = 0
        self._done = 0
        self._marks = 0
        self._recent: deque[tuple[float, int]] = deque([(time.monotonic(), 0)], maxlen=RATE_DAYS)
        self._lag = ""
        self._next_lag = 0.0

    @classmethod
    @asynccontextmanager
    async def open(cls, engine: AsyncEngine, stack: Stack) -> AsyncIterator[DemoView]:
        """Show the view while it is open."""
        console = Console(stderr=True)
        with Live(Text("Reading the world …"), console=console, auto_refresh=False, transient=True) as live:
            yield cls(engine, stack, live)

    def on_read(self, _: int) -> None:
        """Reading takes a moment; there is nothing to show of it."""

    def on_begin(self, days: int) -> None:
        """The number of days is known."""
        self._days = days

    async def on_day(self, day: ReplayedDay) -> None:
        """A day has been drained."""
        self._done += 1
        self._marks += day.marks
        self._recent.append((time.monotonic(), self._marks))
        if self._live.console.is_terminal:
            self._live.update(await self._render(day.date), refresh=True)

    async def _render(self, day: date) -> RenderableType:
        if time.monotonic() >= self._next_lag:
            behind = sum(row.lag or 0 for row in await read_lag(self._stack.kafka))
            self._lag = f"{behind:,} records"
            self._next_lag = time.monotonic() + LAG_SECONDS
        async with self._engine.connect() as connection:
            alerts = (await connection.execute(_ALERTS, {"most": NEWEST})).all()
            open_alerts, mails = (await connection.execute(_COUNTS)).one()
        (first, before), (last, now) = self._recent[0], self._recent[-1]
        rate = (now - before) / max(last - first, 0.001)
        head = Text(
            f"{day:%A %d %B %Y}   day {self._done} of {self._days}   {rate:,.0f} marks/s   lag {self._lag}   "
            f"{open_alerts:,} open alerts   {mails:,} mails"
        )
        table = Table(box=None, show_header=False, padding=(0, 1))
        for alert in alerts:
            reason = alert.reasons[0]["text"] if alert.reasons else ""
            level = Text(alert.level, style=_STYLE[alert.level])
            table.add_row(case_number(alert.id), level, alert.status, f"{alert.raised_on:%d %b}", reason)
        return Group(Panel(head, title="First Bell: a simulated year, no real child"), table)
