"""The scores of a replay, as the worker gives them at each school day's end. They hold student ids: mode 0600."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from services.platform.errors import OperatorError
from services.platform.files import PRIVATE, whole_file

PATIENCE_SECONDS = 60.0
"""For a worker that is being started again."""
_IDS = text("SELECT pseudonym, student_id FROM ingest.consented_students")


class StreamScores:
    """`student_id,date,score`: a row for each student with a consent in force, school on the day, and a score."""

    def __init__(self, file: BinaryIO, engine: AsyncEngine, worker: httpx.AsyncClient) -> None:
        self._file = file
        self._engine = engine
        self._worker = worker
        file.write(b"student_id,date,score\n")

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, engine: AsyncEngine, client: httpx.AsyncClient) -> AsyncIterator[StreamScores]:
        """The file, which appears when it is whole; `client` is one of the worker. Raises `OSError`."""
        with whole_file(path, mode=PRIVATE) as file:
            async with client as worker:
                yield cls(file, engine, worker)

    async def add(self, day: date) -> None:
        """A drained day's rows; raises `OperatorError` when the worker does not answer."""
        scores = await self._scores(day)
        async with self._engine.connect() as connection:
            ids = {row.pseudonym: row.student_id for row in await connection.execute(_IDS)}
        found = sorted((ids[student], score) for student, score in scores.items() if student in ids)
        rows = io.StringIO(newline="")
        csv.writer(rows, lineterminator="\n").writerows((who, day.isoformat(), repr(score)) for who, score in found)
        self._file.write(rows.getvalue().encode())

    async def _scores(self, day: date) -> dict[str, float]:
        patience = AsyncRetrying(
            retry=retry_if_exception_type(httpx.HTTPError),
            stop=stop_after_delay(PATIENCE_SECONDS),
            wait=wait_fixed(0.5),
            reraise=True,
        )
        try:
            return await patience(self._ask, day)
        except httpx.HTTPError as error:
            raise OperatorError(
                "The worker does not give its scores; warning.log in the data folder says more."
            ) from error

    async def _ask(self, day: date) -> dict[str, float]:
        answer = await self._worker.get("/v1/scores", params={"day": day.isoformat()})
        answer.raise_for_status()
        scores: dict[str, float] = answer.json()
        return scores
