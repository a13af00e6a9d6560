"""`firstbell erasure`: what shows that erased is erased, and the master key on which it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from aiokafka.errors import KafkaError

from services.cli.common import (
    CommandError,
    PseudonymCommand,
    data_dir_option,
    failing,
    find_kafka,
    load_settings,
    log_quietly,
    print_json,
)
from services.cli.database import found_engine
from services.cli.on_record import put_on_record
from services.cli.output import progress_bar
from services.contracts.ids import has_form_of_pseudonym
from services.ingest.intake import SERVICE
from services.ingest.settings import IngestSettings
from services.ingest.store import erasing
from services.platform.erasure.places import search_stores, search_topics
from services.platform.erasure.searching import Search, SearchResult
from services.platform.keys.feed_keys import find_keys
from services.platform.keys.master import MasterKeys
from services.platform.keys.rotating import Rotated
from services.platform.keys.rotating import rotate as rotate_master

VERIFY: Final = "erasure verify"


@click.group()
def erasure() -> None:
    """Everything about one student is sealed with a key of the student's own, which is deleted when the consent ends.

    What then still lies in Kafka, in the worker's store and in dumps is noise. `verify` shows it; `rotate` replaces the
    master key, which wraps all those keys, so that dumps from before open nothing. `firstbell proofs` says what was
    erased.
    """


@erasure.command(cls=PseudonymCommand)
@click.argument("pseudonym")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@data_dir_option
def verify(pseudonym: str, as_json: bool, data_dir: Path | None) -> None:
    """Read everything, and count what is about PSEUDONYM and what of it can still be opened.

    Every topic is read from its first record to the end that it has now, also the worker's changelog, and so are the
    worker's local stores in the data folder; of the database the tables in which what does not stream is kept are asked
    (`district.grades` and the like, which are told where they hold something of it). A value is about the pseudonym
    when its record's key or the value itself says so; it is readable when it lies open, or opens with a key at hand.
    After an erasure 0 of however many are: records and their times stay until the topic's retention. The ledger of
    erasures, which names pseudonyms so that they stay erased, is not counted, nor are tombstones, which hold nothing.

    `--json` prints {"records": n, "readable": n, "by_topic": {TOPIC: n}}; the worker's stores are the topic "rocksdb",
    a table is one by its name.
    The look is put on record first. A pseudonym may begin with `-`.

    Exit status: 0 done, whatever was found; 1 failed, the message says why; 2 wrong usage; 3 nothing runs.
    """
    log_quietly()
    if not has_form_of_pseudonym(pseudonym):
        raise click.BadParameter("that is no pseudonym", param_hint="PSEUDONYM")
    settings = load_settings(IngestSettings, data_dir)
    with failing():
        bootstrap = find_kafka(settings, data_dir=data_dir)
        try:
            found = asyncio.run(_search(settings, bootstrap, pseudonym))
        except KafkaError as error:
            raise CommandError(
                f"Kafka does not answer ({type(error).__name__}). Look at `firstbell doctor`."
            ) from error
    if as_json:
        print_json(found._asdict())
    else:
        click.echo("\n".join(describe_found(found)))


@erasure.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@data_dir_option
def rotate(as_json: bool, data_dir: Path | None) -> None:
    """Replace the master key while the system runs, and destroy the old one.

    \b
    1. A new key is written before the old one in the file (FIRSTBELL_MASTER_KEY_FILE, mode 0600).
    2. Every feed's key is wrapped by the new one; services read the file anew by themselves.
    3. The old key is taken out of the file. Dumps from before open nothing then: make a new one.

    It may be interrupted, or fail, at any step: run again, it ends what was begun. Copies of the old key that you keep
    elsewhere are yours to destroy. The file must be the one that the running services read: with several machines
    share it, or use the setting.

    With FIRSTBELL_MASTER_KEY, a setting, put a new key (32 bytes in base64url) first with a comma behind it, start
    every service with both, and rotate: everything is wrapped by the first, and it is said which may be taken out.

    `--json` prints {"master": NAME, "rewrapped": n, "destroyed": [NAME], "removable": [NAME]}; a name gives nothing of
    its key away.

    Exit status: 0 done, 1 failed, the message says why, 2 wrong usage.
    """
    log_quietly()
    settings = load_settings(IngestSettings, data_dir)
    with failing():
        rotated = asyncio.run(_rotate(settings))
    if as_json:
        print_json(rotated._asdict())
    else:
        click.echo("\n".join(describe_rotated(rotated)))


def describe_found(found: SearchResult) -> Sequence[str]:
    """What was found, for people."""
    lines = [f"{found.readable:,} of {found.records:,} records about this pseudonym can be read."]
    width = max(map(len, found.by_topic), default=0)
    return [*lines, *(f"  {topic:<{width}}  {number:>7,}" for topic, number in found.by_topic.items())]


def describe_rotated(rotated: Rotated) -> Sequence[str]:
    """What a rotation came to, for people."""
    lines = [f"Everything is wrapped by the master key {rotated.master} now; keys wrapped anew: {rotated.rewrapped:,}."]
    if rotated.destroyed:
        told = ", ".join(rotated.destroyed)
        lines.append(f"Not in the file any more: {told}. Destroy its copies; dumps from before open nothing.")
    if rotated.removable:
        told = ", ".join(rotated.removable)
        lines.append(
            f"All but the first may be taken out of FIRSTBELL_MASTER_KEY ({told}), once every service was started with "
            "the first. Then dumps from before open nothing."
        )
    return lines


async def _search(settings: IngestSettings, bootstrap: str, pseudonym: str) -> SearchResult:
    async with found_engine(settings, SERVICE) as (engine, url):
        await put_on_record(url, VERIFY, [pseudonym])
        async with engine.connect() as connection:
            keys = (await find_keys(connection, MasterKeys.of(settings), [pseudonym])).keys
            kept = await erasing.kept(connection, pseudonym)
    search = Search(pseudonym, keys.values())
    for table, number in kept.items():
        search.hold(table, number)
    with progress_bar() as progress:
        task = progress.add_task("Reading Kafka", total=None)
        await search_topics(bootstrap, search, lambda done, of: progress.update(task, completed=done, total=of))
        progress.add_task("Reading the worker's store", total=None)
        await asyncio.to_thread(search_stores, settings.data_dir / "warning", search)
    return search.found()


async def _rotate(settings: IngestSettings) -> Rotated:
    async with found_engine(settings, SERVICE, pool_size=2) as (engine, _):
        with progress_bar() as progress:
            task = progress.add_task("Wrapping keys anew", total=None)
            return await rotate_master(
                settings, engine, lambda done, of: progress.update(task, completed=done, total=of)
            )
