"""Kafka's own command-line tools, as an independent judge."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.platform.embedded.jars import ensure_jars
from services.platform.embedded.java import find_java

GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"

Row = tuple[str, str, int, int | None, int | None, int | None]
"""Group, topic, partition, committed, end, lag."""


async def _java(tool: str, *arguments: str) -> asyncio.subprocess.Process:
    class_path = await asyncio.to_thread(ensure_jars, tools=True)
    quick = "-XX:TieredStopAtLevel=1"
    return await asyncio.create_subprocess_exec(
        find_java(), quick, "-cp", class_path, tool, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
    )


async def describe_all_groups(bootstrap: str) -> list[Row]:
    """What `kafka-consumer-groups --describe --all-groups` says, by group, topic and partition."""
    tool = await _java(GROUPS, "--bootstrap-server", bootstrap, "--describe", "--all-groups")
    output, _ = await tool.communicate()
    assert tool.returncode == 0
    rows = [line.split()[:6] for line in output.decode().splitlines() if line and not line.startswith("GROUP ")]
    return sorted(
        (group, topic, int(partition), _number(committed), _number(end), _number(lag))
        for group, topic, partition, committed, end, lag in rows
        if topic != "-"  # a member to whom no partition fell
    )


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)


@asynccontextmanager
async def console_consumer(bootstrap: str, topic: str, group: str) -> AsyncIterator[None]:
    """A member of a group of the newer protocol (KIP-848), which never commits."""
    properties = ("group.protocol=consumer", "enable.auto.commit=false")
    given = [part for value in properties for part in ("--command-property", value)]
    where = ("--bootstrap-server", bootstrap, "--topic", topic, "--group", group, "--from-beginning")
    tool = await _java(CONSUMER, *where, *given)
    assert tool.stdout is not None
    try:
        await tool.stdout.readline()  # it prints a record, so it has its partitions
        yield
    finally:
        tool.terminate()
        await tool.communicate()
