"""`python -m benchmarks.held KIND FOLDER PLACES`: how much a fresh process grows by records read from files.

`KIND` is `core` or `dicts`. Files hold a chunk of records each, so that little but the state is in memory; what a
flush would write is counted in a file beside them. The figures are JSON on stdout.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypedDict

import msgspec
import psutil

from benchmarks.core_driver import Core
from benchmarks.engines.raw import read_one
from models.artifact import default_artifact
from services.ingest.publish.batches import Record
from services.platform.memory import collect_rarely, give_memory_back
from services.platform.processes import ProcessError

CORE: Final = "core"
DICTS: Final = "dicts"
ROOT: Final = Path(__file__).parent.parent

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Record]).decode


class Held(TypedDict):
    """Bytes: the growth of the resident memory; the table at the end; what all flushes wrote. Dicts store nothing."""

    grown_bytes: int
    stored_bytes: int
    written_bytes: int


def write_chunks(folder: Path, chunks: Iterable[list[Record]]) -> None:
    """A file for each chunk."""
    folder.mkdir()
    for number, chunk in enumerate(chunks):
        (folder / f"{number:05}").write_bytes(_encode(chunk))


def measure_held(kind: str, folder: Path, *, places: int) -> Held:
    """Measure in a process of its own; raises `ProcessError` when it fails."""
    argv = [sys.executable, "-m", "benchmarks.held", kind, str(folder), str(places)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProcessError(f"measuring {kind} failed: {done.stderr[-2000:]}")
    held: Held = json.loads(done.stdout)
    return held


def hold_core(folder: Path, places: int) -> Held:
    """Take the records into the core, a flush behind each chunk."""
    collect_rarely()  # as the worker
    give_memory_back()
    core, flushed = Core(default_artifact(), places), folder / "flushed"
    before = _resident()
    with flushed.open("w") as log:
        for chunk in _chunks(folder):
            core.take_all(chunk)
            for key, value in core.take_changes():
                log.write(f"{len(value)} {key}\n")
    grown = _resident() - before
    stored, written = add_up(flushed.read_text().splitlines())
    return Held(grown_bytes=grown, stored_bytes=stored, written_bytes=written)


def hold_dicts(folder: Path) -> Held:
    """Keep a status by date by student."""
    windows: dict[str, dict[str | int, str | int]] = {}
    before = _resident()
    for chunk in _chunks(folder):
        for record in chunk:
            for student, day, status in read_one(record.value or b""):
                windows.setdefault(student, {})[day] = status
    return Held(grown_bytes=_resident() - before, stored_bytes=0, written_bytes=0)


def add_up(flushed: Iterable[str]) -> tuple[int, int]:
    """What the table holds at the end and what was written, of lines `BYTES KEY`; a value of no bytes drops its key."""
    stored: dict[str, int] = {}
    written = 0
    for line in flushed:
        size, key = line.split(" ", 1)
        stored[key] = int(size)
        written += len(key.encode()) + int(size)
    return sum(len(key.encode()) + size for key, size in stored.items() if size), written


def _chunks(folder: Path) -> Iterator[list[Record]]:
    for file in sorted(path for path in folder.iterdir() if path.name.isdigit()):
        yield _decode(file.read_bytes())


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def main() -> None:
    """Hold what the command line says."""
    kind, folder, places = sys.argv[1:]
    held = hold_core(Path(folder), int(places)) if kind == CORE else hold_dicts(Path(folder))
    print(json.dumps(held))


if __name__ == "__main__":
    main()
