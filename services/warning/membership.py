"""By which name this worker is a member of the consumer group, so that Kafka knows it again after a crash.

Kafka holds the partitions of a member with a name for it until its session ends, and gives them back at once when the
name joins again; of a nameless one that was killed it only knows that it no longer answers. The name is kept beside the
store: two workers cannot share that, so they never share a name.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from services.platform.processes import write_atomically

FILE = "member"


def member_name(folder: Path) -> str:
    """The name kept in this folder, made at its first use."""
    path = folder / FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, uuid4().hex)
    return path.read_text(encoding="utf-8")
