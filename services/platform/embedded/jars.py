"""Kafka's jars: exactly those of `jars.lock`, in the user's cache folder, each checked before every use.

`read_lock`, `lock_folder` and `bring_jars` do the same for another lock.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Event

import platformdirs
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, TypeAdapter

from services.platform.embedded.errors import JarsError
from services.platform.embedded.fetch import Fetch, fetch_jars

LOCK = Path(__file__).with_name("jars.lock")


class Jar(BaseModel):
    """One locked artifact. `tools` marks what only Kafka's own command-line tools need."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str
    artifact: str
    version: str
    size: int
    sha256: str
    tools: bool = False

    @property
    def file_name(self) -> str:
        """Its file's name, as Maven names it."""
        return f"{self.artifact}-{self.version}.jar"


def read_lock(lock: Path) -> tuple[Jar, ...]:
    """A lock's content."""
    return TypeAdapter(tuple[Jar, ...]).validate_python(tomllib.loads(lock.read_text())["jar"])


def lock_folder(name: str, lock: Path, cache_dir: Path | None = None) -> Path:
    """Where a lock's jars are kept; another lock has another folder, so that no old jar is on the class path."""
    root = cache_dir or platformdirs.user_cache_path("firstbell")
    return root / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"


@cache
def locked_jars() -> tuple[Jar, ...]:
    """The content of Kafka's lock."""
    return read_lock(LOCK)


def jar_folder(cache_dir: Path | None = None) -> Path:
    """Where Kafka's jars are kept."""
    return lock_folder("kafka", LOCK, cache_dir)


def class_path(cache_dir: Path | None = None, *, tools: bool = False) -> str:
    """Java's class path for the broker, with `tools` also for Kafka's own commands."""
    folder = jar_folder(cache_dir)
    return os.pathsep.join(f"{path}/*" for path in ([folder, folder / "tools"] if tools else [folder]))


def ensure_jars(
    *,
    mirror: str | None = None,
    tools: bool = False,
    cache_dir: Path | None = None,
    stop: Event | None = None,
    fetch: Fetch[Jar] = fetch_jars,
) -> str:
    """Bring what the broker needs, with `tools` also Kafka's own commands, and return the class path.

    `stop`, when set by another thread, ends a download. Raises `JarsError`.
    """
    wanted = [jar for jar in locked_jars() if tools or not jar.tools]
    bring_jars(wanted, jar_folder(cache_dir), mirror=mirror, stop=stop, fetch=fetch)
    return class_path(cache_dir, tools=tools)


def bring_jars(
    wanted: list[Jar],
    folder: Path,
    *,
    mirror: str | None = None,
    stop: Event | None = None,
    fetch: Fetch[Jar] = fetch_jars,
) -> None:
    """Fetch into the folder what is missing there, and check every SHA-256.

    A cached file that is not what the lock says is deleted and fetched once more. Safe for several processes at once.
    `stop`, when set by another thread, ends a download. Raises `JarsError`.
    """
    try:
        (folder / "tools").mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if missing := _unusable(wanted, folder):
                _bring(missing, folder, mirror, stop or Event(), fetch)
    except OSError as error:
        raise JarsError(f"The cache folder for Kafka's jars cannot be used: {error}") from error


def _bring(jars: list[Jar], folder: Path, mirror: str | None, stop: Event, fetch: Fetch[Jar]) -> None:
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder.parent) as staging:
        for attempt in ("first", "second"):
            into = Path(staging) / attempt
            for jar, path in fetch(jars, into, mirror, stop).items():
                if _is_as_locked(jar, path):
                    path.replace(_place(jar, folder))
            jars = [jar for jar in jars if not _place(jar, folder).is_file()]
            if not jars:
                return
    raise JarsError(
        f"{jars[0].file_name} as fetched is not the file of the lock (its SHA-256 differs), so it is not used. "
        "Something between here and the repository changes files: set FIRSTBELL_MAVEN_MIRROR to another repository."
    )


def _unusable(jars: list[Jar], folder: Path) -> list[Jar]:
    with ThreadPoolExecutor(8) as pool:
        good = list(pool.map(lambda jar: _is_as_locked(jar, _place(jar, folder)), jars))
    bad = [jar for jar, is_good in zip(jars, good, strict=True) if not is_good]
    for jar in bad:
        _place(jar, folder).unlink(missing_ok=True)
    return bad


def _place(jar: Jar, folder: Path) -> Path:
    return (folder / "tools" if jar.tools else folder) / jar.file_name


def _is_as_locked(jar: Jar, path: Path) -> bool:
    if not path.is_file() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
