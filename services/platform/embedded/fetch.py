"""Downloads Maven artifacts: exactly those asked for, in parallel, with a progress bar on stderr."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from services.platform.embedded.errors import JarsError

THREADS = 8
TRIES = 3
TIMEOUT_SECONDS = 20


class Download(Protocol):
    """What is asked for."""

    @property
    def group(self) -> str:
        """Maven's group id."""

    @property
    def artifact(self) -> str:
        """Maven's artifact id."""

    @property
    def version(self) -> str:
        """The exact version."""

    @property
    def size(self) -> int:
        """Bytes."""


A = TypeVar("A", bound=Download)
Fetch = Callable[[Sequence[A], Path, str | None, Event], dict[A, Path]]
"""Brings the artifacts into the folder, from the mirror if there is one, until the event is set."""


def fetch_jars(artifacts: Sequence[A], folder: Path, mirror: str | None, stop: Event) -> dict[A, Path]:
    """Where each artifact's file now is, below `folder`; nothing is verified yet. Raises `JarsError`."""
    bar = Progress(
        TextColumn("Fetching Kafka"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=Console(stderr=True)
    )
    with _system_trust(), bar, ThreadPoolExecutor(THREADS) as pool:
        task = bar.add_task("jars", total=sum(artifact.size for artifact in artifacts))

        def count(received: int) -> None:
            if stop.is_set():
                raise JarsError("The download of Kafka was stopped. Start again to go on.")
            bar.advance(task, received)

        futures = {a: pool.submit(_fetch, a, folder, mirror, count) for a in artifacts}
        try:
            return {artifact: future.result() for artifact, future in futures.items()}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _fetch(artifact: Download, folder: Path, mirror: str | None, count: Callable[[int], None]) -> Path:
    # Imported here, since it takes half a second that only the first start needs.
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    @contextmanager
    def progress(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield count

    for attempt in range(1, TRIES + 1):
        context = MavenContext(
            resolver=PythonResolver(progress_callback=progress),
            repo_cache=folder / str(attempt),
            remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
            timeout=TIMEOUT_SECONDS,
        )
        wanted = context.project(artifact.group, artifact.artifact).at_version(artifact.version).artifact()
        try:
            return Path(wanted.resolve())
        except (OSError, RuntimeError) as error:  # what requests and jgo raise
            if attempt == TRIES:
                raise JarsError(_unreachable(artifact, mirror)) from error
    raise AssertionError("unreachable")


def _unreachable(artifact: Download, mirror: str | None) -> str:
    source = "the mirror in FIRSTBELL_MAVEN_MIRROR" if mirror else "Maven's central repository"
    return (
        f"{artifact.artifact} {artifact.version} could not be fetched from {source}. Kafka is fetched once and then "
        "kept. Go online and start again; or set FIRSTBELL_MAVEN_MIRROR to a repository that can be reached (behind a "
        "proxy also HTTPS_PROXY, and SSL_CERT_FILE for its certificate); or set FIRSTBELL_KAFKA to a cluster that runs."
    )


@contextmanager
def _system_trust() -> Iterator[None]:
    """Let requests trust what Python's ssl trusts (`SSL_CERT_FILE`, `SSL_CERT_DIR`, the system's store)."""
    trusted = _trust_store()
    if trusted is None or "REQUESTS_CA_BUNDLE" in os.environ:
        yield
        return
    os.environ["REQUESTS_CA_BUNDLE"] = trusted
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]


def _trust_store() -> str | None:
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return paths.cafile
    # A folder is of use only with OpenSSL's hashed names in it.
    if paths.capath and any(Path(paths.capath).glob("*.0")):
        return paths.capath
    return None
