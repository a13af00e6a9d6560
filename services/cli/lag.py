"""`firstbell lag`: how far every consumer group is behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import click
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.live import Live
from rich.table import Table

from services.cli.common import (
    data_dir_option,
    failing,
    find_kafka,
    load_settings,
    log_quietly,
    print_json,
)
from services.platform.errors import NotRunningError
from services.platform.lag import PartitionLag, read_lag
from services.platform.settings import Settings

WATCH_SECONDS = 2.0
Show = Callable[[Sequence[PartitionLag]], None]
MINUTE, HOUR, DAY = 60, 3_600, 86_400


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout; with --watch one a line.")
@click.option("--watch", is_flag=True, help="Again every 2 seconds, until Ctrl-C.")
@data_dir_option
def lag(as_json: bool, watch: bool, data_dir: Path | None) -> None:
    """Show how far each consumer group is behind, in messages and seconds, for every group that Kafka knows.

    "unknown" means that the group holds the partition and has never committed. Seconds are the age of the first record
    that the group has not committed.

    Exit status: 0; 3 when nothing is running, or Kafka does not answer.
    """
    log_quietly()
    with failing():
        kafka = find_kafka(load_settings(Settings, data_dir), data_dir=data_dir)
    with failing(), suppress(KeyboardInterrupt), _screen(as_json=as_json, watch=watch) as show:
        asyncio.run(_watch(kafka, show) if watch else _once(kafka, show))


def lag_document(rows: Sequence[PartitionLag]) -> dict[str, object]:
    """The document of `--json`."""
    return {"partitions": [asdict(row) for row in rows]}


def lag_table(rows: Sequence[PartitionLag]) -> Table:
    """The table for people: a group's name, and under it a line for each of its partitions, in 80 columns."""
    title = f"Consumer lag at {datetime.now().astimezone():%H:%M:%S}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("group and topic", overflow="fold")
    for column in ("part", "committed", "end", "lag", "behind"):
        table.add_column(column, justify="right", no_wrap=True)
    for group, partitions in groupby(rows, key=attrgetter("group")):
        table.add_row(group, style="bold")
        for row in partitions:
            numbers = map(_number, (row.committed, row.end, row.lag))
            table.add_row(f"  {row.topic}", str(row.partition), *numbers, duration(row.seconds_behind))
    return table


def duration(seconds: float | None) -> str:
    """A time span for people, in its two largest units, for example `2 h 05 min`."""
    if seconds is None:
        return "unknown"
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds else "0 s"
    whole = int(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
    return f"{whole // DAY} d {whole % DAY // HOUR:02} h"


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


async def _once(kafka: str, show: Show) -> None:
    show(await _read(kafka))


async def _watch(kafka: str, show: Show) -> None:
    """Show it again and again. Kafka must answer the first time; when it is away later, that is said and retried."""
    await _once(kafka, show)
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            rows = await _read(kafka)
        except NotRunningError as error:
            click.echo(f"{error} Trying again.", err=True)
        else:
            show(rows)


@contextmanager
def _screen(*, as_json: bool, watch: bool) -> Iterator[Show]:
    """How rows are shown: as JSON, in a table that is drawn over the last one, or in one below the other."""
    console = Console()
    if as_json:
        yield lambda rows: print_json(lag_document(rows))
    elif watch and console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda rows: live.update(lag_table(rows), refresh=True)
    else:
        yield lambda rows: console.print(lag_table(rows))


async def _read(kafka: str) -> list[PartitionLag]:
    try:
        return await read_lag(kafka)
    except (KafkaError, OSError, TimeoutError) as error:
        raise NotRunningError(
            f"Kafka at {kafka} does not answer ({type(error).__name__}). `firstbell doctor` says what runs."
        ) from error
