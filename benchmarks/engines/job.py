"""What an engine's process is told, and what it reports. Standard library alone: Quix runs in another environment."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Job:
    """Read `marks` marks from `topic` (4 partitions, all there already) and report how long it took."""

    kafka: str
    topic: str
    marks: int
    group: str
    """Of this run alone: no offset is committed yet, and it names changelogs."""
    folder: Path
    """For state; empty and of this run alone."""
    result: Path

    def as_argument(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_command_line(cls) -> Job:
        """The job in this process's first argument."""
        given = json.loads(sys.argv[1])
        return cls(**{**given, "folder": Path(given["folder"]), "result": Path(given["result"])})


class Stopwatch:
    """Runs from the first mark that the engine hands to our function."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._started: float | None = None
        self._cpu = 0.0

    def start(self) -> None:
        """The first mark is here; later calls change nothing."""
        if self._started is None:
            self._started, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, marks: int) -> None:
        """All marks are kept: write the seconds since `start`, those of CPU, and how many marks there were."""
        assert self._started is not None
        figures = {
            "seconds": time.perf_counter() - self._started,
            "cpu_seconds": time.process_time() - self._cpu,
            "marks": marks,
        }
        self._job.result.write_text(json.dumps(figures))
