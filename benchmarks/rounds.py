"""One measurement of one engine."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final
from uuid import uuid4

from benchmarks.broker import Ground
from benchmarks.engines import ours
from benchmarks.engines.job import Job
from benchmarks.environments import QUIX, isolated
from benchmarks.marks import Year
from benchmarks.publish import BATCHED, SINGLE
from services.platform.processes import Command, ProcessError, run_to_end
from services.platform.supervisor import inherited_environment

ENGINES: Final = ("firstbell", "firstbell_rules", "raw", "raw_batched", "quix", "faust_plain")
ROOT: Final = Path(__file__).parent.parent
PATIENCE: Final = 1800
"""Seconds for a process, the making of its environment included."""

Figures = dict[str, float]


async def measure(engine: str, ground: Ground, year: Year, round_number: int, model: ours.Scoring) -> Figures:
    """Marks a second and what else the engine tells; raises what kept it from being measured.

    `firstbell` scores with this model, `firstbell_rules` does not.
    """
    if engine in ("firstbell", "firstbell_rules"):
        scoring = model if engine == "firstbell" else ours.Scoring(model=False)
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
        topic=BATCHED.name if engine == "raw_batched" else SINGLE.name,
        marks=year.marks,
        group=name,
        folder=folder,
        result=ground.folder / f"{name}.json",
    )
    command = Command(name=engine, argv=_argv(engine, job), env=inherited_environment(), cwd=ROOT)
    await run_to_end(command, ground.logs / f"{name}.log", ground.registry, deadline=PATIENCE)
    figures: Figures = json.loads(job.result.read_text())
    if figures["marks"] != year.marks:
        raise ProcessError(f"{engine} kept {figures['marks']} marks of {year.marks}")
    return figures


def _argv(engine: str, job: Job) -> list[str]:
    match engine:
        case "raw_batched":
            return [sys.executable, "-m", "benchmarks.engines.raw", job.as_argument(), "batched"]
        case "quix":
            return isolated(QUIX, "-m", "benchmarks.engines.quix", job.as_argument())
    return [sys.executable, "-m", f"benchmarks.engines.{engine}", job.as_argument()]
