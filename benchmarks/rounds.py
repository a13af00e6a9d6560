"""One measurement of one engine."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from benchmarks.broker import Ground
from benchmarks.engines import ours
from benchmarks.engines.job import Job
from benchmarks.engines.kafka_streams import build as kafka_streams
from benchmarks.environments import QUIX, isolated
from benchmarks.marks import Year
from benchmarks.publish import BATCHED, FEW, SINGLE
from benchmarks.worker import Scoring
from services.platform.kafka import make_admin
from services.platform.processes import Command, ProcessError, run_to_end
from services.platform.supervisor import inherited_environment

OURS: Final = ("firstbell", "firstbell_model")
PEERS: Final = ("kafka_streams", "quix", "raw", "raw_batched", "faust_plain")
ENGINES: Final = OURS + PEERS
ROOT: Final = Path(__file__).parent.parent
PATIENCE: Final = 1800
"""Seconds for a process, the making of its environment included."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Plan:
    """What every engine reads: all but plain Faust the year's marks, plain Faust those of a smaller year."""

    year: Year
    few: Year
    model: Scoring
    """What `firstbell_model` scores with; `firstbell` has the rules alone."""

    def year_of(self, engine: str) -> Year:
        """What this engine reads."""
        return self.few if engine == "faust_plain" else self.year


async def measure(engine: str, ground: Ground, plan: Plan, round_number: int) -> Figures:
    """Marks a second and what else the engine tells; raises what kept it from being measured."""
    year = plan.year_of(engine)
    if engine in OURS:
        scoring = Scoring(model=False) if engine == "firstbell" else plan.model
        figures: Figures = asdict(await ours.measure(ground, year, round_number, scoring))
    else:
        figures = await _run_process(engine, ground, year)
    return {"marks_per_second": year.marks / figures["seconds"], **figures}


async def _run_process(engine: str, ground: Ground, year: Year) -> Figures:
    name = f"{engine}-{uuid4().hex[:8]}"
    folder = ground.folder / name
    folder.mkdir()
    job = Job(
        kafka=ground.kafka,
        topic={"raw_batched": BATCHED, "faust_plain": FEW}.get(engine, SINGLE).name,
        marks=year.marks,
        group=name,
        folder=folder,
        result=ground.folder / f"{name}.json",
    )
    command = Command(name=engine, argv=await _argv(engine, job, ground), env=inherited_environment(), cwd=ROOT)
    try:
        await run_to_end(command, ground.logs / f"{name}.log", ground.registry, deadline=PATIENCE)
    finally:
        await _delete_topics_of(job)
    figures: Figures = json.loads(job.result.read_text())
    if figures["marks"] != year.marks:
        raise ProcessError(f"{engine} kept {figures['marks']} marks of {year.marks}")
    return figures


async def _argv(engine: str, job: Job, ground: Ground) -> list[str]:
    match engine:
        case "raw_batched":
            return [sys.executable, "-m", "benchmarks.engines.raw", job.as_argument(), "batched"]
        case "quix":
            return isolated(QUIX, "-m", "benchmarks.engines.quix", job.as_argument())
        case "kafka_streams":
            return [*await kafka_streams.build(ground), *kafka_streams.arguments(job)]
    return [sys.executable, "-m", f"benchmarks.engines.{engine}", job.as_argument()]


async def _delete_topics_of(job: Job) -> None:
    """Delete the engine's changelogs: those of a million marks are gigabytes."""
    admin = make_admin(job.kafka)
    await admin.start()
    try:
        if old := [topic for topic in await admin.list_topics() if job.group in topic]:
            await admin.delete_topics(old)
    finally:
        await admin.close()
