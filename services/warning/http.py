"""The worker's HTTP edge: health, metrics, and the windows of the partitions that it owns."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from typing import Final

import faust
import uvicorn
from fastapi import FastAPI

from services.contracts.ids import Pseudonym
from services.contracts.topics import MARKS
from services.platform.http import ProblemError, add_health, add_problem_handlers
from services.platform.identity.edge import add_identity
from services.platform.identity.guard import may
from services.platform.keys.ring import KeyRing
from services.platform.listening import behind_proxy, listening
from services.warning.loaded_model import LoadedModel
from services.warning.partition import Partition
from services.warning.settings import WarningSettings
from services.warning.window import scores_of, window_document
from services.warning.worker import Worker

RECOVERING: Final = "recovering its windows from Kafka; try again in a few seconds"


def recovering(app: faust.App) -> str | None:
    """Why the worker cannot answer yet, or None."""
    if app.rebalancing or app.in_recovery or not app.tables.recovery.completed.is_set():
        return RECOVERING
    return None


def make_edge(app: faust.App, worker: Worker, in_use: LoadedModel, ring: KeyRing, settings: WarningSettings) -> FastAPI:
    """The FastAPI application that answers for the worker. Raises `SettingsError` when nobody could be known."""
    edge = FastAPI(title="First Bell warning", version="1")
    add_problem_handlers(edge)
    add_identity(edge, settings, for_people=False)

    async def check_windows() -> str | None:
        return recovering(app) or (None if None not in _owned(app, worker) else RECOVERING)

    async def check_keys() -> str | None:
        return ring.problem

    add_health(edge, {"windows": check_windows, "keys": check_keys})

    @edge.get(
        "/v1/students/{student}/window",
        summary="A student's window, from the worker that owns it",
        dependencies=[may("service")],
    )
    async def window(student: str) -> dict[str, object]:
        for partition in [] if ring.is_gone(student) else _partitions(app, worker, ring):
            known = partition.students.get(Pseudonym(student))
            document = window_document(partition, known) if known is not None else None
            if document is not None:
                return document
        raise ProblemError(404, "No window", "No student of this pseudonym with a consent in force is kept here.")

    @edge.get(
        "/v1/scores",
        summary="The present scores of this worker's students; with `day`, of those in school then",
        dependencies=[may("service")],
    )
    async def scores(day: date | None = None) -> dict[str, float]:
        found: dict[str, float] = {}
        for partition in _partitions(app, worker, ring):
            found |= scores_of(partition, day)
        return {student: score for student, score in found.items() if not ring.is_gone(student)}

    @edge.get(
        "/v1/model",
        summary="The risk model in use, or why there is none",
        dependencies=[may("operator", "service")],
    )
    async def model() -> dict[str, object]:
        return in_use.document()

    return edge


def _partitions(app: faust.App, worker: Worker, ring: KeyRing) -> list[Partition]:
    """Those that this worker owns; raises `ProblemError` when they cannot be asked now."""
    owned, problem = _owned(app, worker), recovering(app) or ring.problem
    read = [partition for partition in owned if partition is not None]
    if problem or len(read) < len(owned):
        raise ProblemError(503, "Not ready", problem or RECOVERING, {"Retry-After": "2"})
    return read


def _owned(app: faust.App, worker: Worker) -> list[Partition | None]:
    """Each partition that this worker owns; None for one that is not read yet."""
    return [worker.partition(number) for number in owned_partitions(app)]


def owned_partitions(app: faust.App) -> set[int]:
    """The numbers of the partitions that this worker owns, not of those it keeps a standby of."""
    return {tp.partition for tp in app.consumer.assignment() if tp.topic == MARKS.name} if app.consumer else set()


class EdgeServer(uvicorn.Server):
    """Uvicorn inside Faust's event loop: Faust handles the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def make_server(edge: FastAPI, settings: WarningSettings) -> EdgeServer:
    """A server to be run as a task of the worker; raises `SettingsError`."""
    where = listening(settings, settings.warning_port)
    guarded = behind_proxy(edge, settings)
    return EdgeServer(uvicorn.Config(guarded, log_config=None, access_log=False, lifespan="off", **where))
