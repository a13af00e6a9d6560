"""The whole wiring of the worker: settings, Faust app, table, agent, HTTP edge."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

import faust
from faust.types import StreamT

from models.policy import Policy, default_policy, parse_policy
from services.contracts.packed import CipherOf
from services.contracts.topics import WARNING_GROUP
from services.platform.database import make_engine
from services.platform.errors import OperatorError
from services.platform.fencing import start_fencing_producer
from services.platform.keys.master import MasterKeys
from services.platform.keys.ring import KeyRing
from services.platform.logging import configure_logging
from services.platform.memory import give_memory_back
from services.warning.changelog import Changelog
from services.warning.companion import companion
from services.warning.consumer import SeekingConsumer, hold_back
from services.warning.emitter import show
from services.warning.erasing import SERVICE, Erasing
from services.warning.http import make_edge, make_server, owned_partitions
from services.warning.loaded_model import load_model
from services.warning.loading import load_partition
from services.warning.membership import member_name
from services.warning.partition import Partition
from services.warning.records import READ
from services.warning.settings import WarningSettings
from services.warning.table import FencedTable, WindowTable
from services.warning.worker import Worker

log = logging.getLogger(__name__)

BLOCK_CACHE_BYTES = 16 * 1024 * 1024
"""RocksDB's cache per partition; Faust's default is 2 GiB, and hot windows are in memory anyway."""


def load_policy(settings: WarningSettings) -> Policy:
    """The rules in force; raises `PolicyError`, or `OSError` when the file cannot be read."""
    if settings.policy_file is None:
        return default_policy()
    return parse_policy(settings.policy_file.read_text(encoding="utf-8-sig"))


def create_app(settings: WarningSettings) -> faust.App:
    """The Faust application; it connects when it is started."""
    folder = settings.data_dir / "warning"
    app = faust.App(
        WARNING_GROUP,
        broker=f"kafka://{settings.require_kafka()}",
        store=f"{settings.store}://",
        datadir=str(folder),
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication_factor,
        topic_disable_leader=True,
        broker_commit_interval=settings.commit_seconds,
        broker_session_timeout=settings.session_seconds,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=member_name(folder),
        consumer_max_fetch_size=16 * 1024 * 1024,
        producer_max_request_size=1_000_000,
        producer_acks=-1,
        # Faust drops records of a standby's changelog at the end of a rebalance: its state would have gaps.
        table_standby_replicas=0,
        stream_wait_empty=False,  # what is not acknowledged comes again
        Table=FencedTable,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.transport.Consumer = SeekingConsumer
    options = {"block_cache_size": BLOCK_CACHE_BYTES} if settings.store == "rocksdb" else {}
    changelog = Changelog(partial(start_fencing_producer, settings.require_kafka()))
    table = app.Table(
        "windows",
        key_type=bytes,
        value_type=bytes,
        partitions=settings.partitions,
        options=options,
        changelog=changelog,
    )
    in_use = load_model(settings)
    policy = load_policy(settings)

    def load(items: Mapping[str, bytes], cipher_of: CipherOf) -> Partition:
        partition = load_partition(items, policy, in_use.capacity_control(), datetime.now(UTC), cipher_of)
        for found in partition.capacity_control.last:
            show(found)
        return partition

    engine = make_engine(settings.require_database(), service=SERVICE)
    masters = MasterKeys.of(settings)
    masters.names()  # a lost one is said at once
    ring = KeyRing(engine, masters)
    worker = Worker(WindowTable(table, changelog), settings.partitions, load, ring)
    topic = app.topic(
        *(topic.name for topic in READ),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )
    server = make_server(make_edge(app, worker, in_use, ring, settings), settings)

    @app.agent(topic)
    async def keep_windows(stream: StreamT[bytes]) -> None:
        await take_all(stream, app, worker)

    erasing = Erasing(engine, ring, settings.require_kafka())
    app.service(companion(worker, changelog, erasing, server, settings.require_kafka()))

    @app.on_partitions_revoked.connect
    async def forget(*_: object, **__: object) -> None:
        worker.forget()

    @app.on_rebalance_complete.connect
    async def begin(*_: object, **__: object) -> None:
        hold_back(app)
        worker.begin(owned_partitions(app))

    return app


async def take_all(stream: StreamT[bytes], app: faust.App, worker: Worker) -> None:
    """Hand every record to the worker, which acknowledges it in its own time."""
    async for event in stream.noack().events():
        try:
            await worker.take(event)
        except Exception as error:
            if app.should_stop:
                return  # the record was not acknowledged: it comes again
            if isinstance(error, OperatorError):
                log.critical("%s", error)
            # Kafka did not acknowledge: nothing was committed, so a fresh start replays it.
            await app.crash(error)
            raise


def main() -> None:
    """Run the worker until SIGTERM or Ctrl-C."""
    settings = WarningSettings.load()
    configure_logging()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    give_memory_back()
    app = create_app(settings)
    faust.Worker(app, loglevel="warn", redirect_stdouts=False).execute_from_commandline()
