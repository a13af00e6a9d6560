"""One measurement of one engine."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final
from uuid import uuid4

from benchmarks.broker import Ground
from benchmarks.engines import ours
from benchmarks.engines.job import Job
from benchmarks.marks import Year
from benchmarks.publish import BATCHED, SINGLE
from services.platform.processes import Command, ProcessError, run_to_end
from services.platform.supervisor import inherited_environment

ENGINES: Final = ("firstbell", "raw", "raw_batched", "quix", "faust_plain")
QUIX: Final = "quixstreams==3.28.1"
ROOT: Final = Path(__file__).parent.parent
PATIENCE: Final = 1800
"""Seconds for a process, the making of its environment included."""

Figures = dict[str, float]


async def measure(engine: str, ground: Ground, year: Year, round_number: int) -> Figures:
    """Marks a second and what else the engine tells; raises what kept it from being measured."""
    if engine == "firstbell":
        figures: Figures = asdict(await ours.measure(ground, year, round_number))
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
            module = ["python", "-m", "benchmarks.engines.quix", job.as_argument()]
            return [_uv(), "run", "--isolated", "--no-project", "--python", sys.executable, "--with", QUIX, *module]
    return [sys.executable, "-m", f"benchmarks.engines.{engine}", job.as_argument()]


def _uv() -> str:
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise ProcessError("uv is not on the PATH, and Quix Streams needs it for an environment of its own")
    return uv
