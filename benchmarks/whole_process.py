"""What a process costs from start to exit."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

from services.platform.processes import ProcessError

ROOT: Final = Path(__file__).parent.parent
TOLD: Final = 2_000
"""So many of the last characters on stderr are told of a process that failed."""


class Cost(TypedDict):
    """Seconds from start to exit, those of CPU, and the most memory that it or a child of it held, in bytes."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def run_whole(argv: Sequence[str]) -> Cost:
    """Run it in the project's folder, its stdout unread; raises `ProcessError` when it fails."""
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            text = said.read().decode(errors="replace")[-TOLD:].strip()
            raise ProcessError(f"{' '.join(argv[:3])} … ended with {process.returncode}: {text}")
    return Cost(seconds=seconds, cpu_seconds=usage.ru_utime + usage.ru_stime, peak_bytes=usage.ru_maxrss * 1024)
