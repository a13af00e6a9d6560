"""Makes the program from its sources: jars from `jars.lock` beside the broker's own, compiled for each run.

No Maven and no JDK are needed: the lock has Eclipse's compiler, which runs on the Java that runs the broker.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from threading import Event
from typing import Final

from benchmarks.broker import Ground
from benchmarks.engines.job import Job
from services.platform.embedded.jars import bring_jars, ensure_jars, lock_folder, read_lock
from services.platform.embedded.java import find_java
from services.platform.processes import Command, run_to_end
from services.platform.settings import Settings
from services.platform.supervisor import inherited_environment

HERE: Final = Path(__file__).parent
LOCK: Final = HERE / "jars.lock"
MAIN: Final = "KeepWindows"
COMPILER: Final = ("org.eclipse.jdt.internal.compiler.batch.Main", "-17", "-proc:none")


async def build(ground: Ground) -> list[str]:
    """The command of the compiled program, without arguments; raises `EmbeddedError` or `ProcessError`."""
    jars = await _jars()
    classes = ground.folder / "kafka_streams"
    if not classes.exists():
        sources = sorted(map(str, HERE.glob("*.java")))
        argv = [str(find_java()), "-cp", jars, *COMPILER, "-cp", _each_jar(jars), "-d", str(classes), *sources]
        command = Command(name="ecj", argv=argv, env=inherited_environment())
        await run_to_end(command, ground.logs / "ecj.log", ground.registry)
    return [str(find_java()), "-cp", os.pathsep.join((str(classes), jars)), MAIN]


def arguments(job: Job) -> list[str]:
    """The job, as the program reads it."""
    return [job.kafka, job.topic, str(job.marks), job.group, str(job.folder), str(job.result)]


async def _jars() -> str:
    """Fetch what is missing; the class path that has it all."""
    stop = Event()
    try:
        return await asyncio.to_thread(_bring, Settings().maven_mirror, stop)
    except asyncio.CancelledError:
        stop.set()
        raise


def _bring(mirror: str | None, stop: Event) -> str:
    folder = lock_folder("kafka-streams", LOCK)
    brokers = ensure_jars(mirror=mirror, stop=stop)
    bring_jars(list(read_lock(LOCK)), folder, mirror=mirror, stop=stop)
    return os.pathsep.join((brokers, f"{folder}/*"))


def _each_jar(jars: str) -> str:
    """The class path without wildcards, which only `java` itself understands."""
    folders = (Path(entry).parent for entry in jars.split(os.pathsep))
    return os.pathsep.join(str(jar) for folder in folders for jar in sorted(folder.glob("*.jar")))
