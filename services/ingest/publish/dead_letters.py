"""`attendance.rejected.v1`: why a row or entry could not be used. No input is in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol
from zlib import crc32

from services.contracts.rejected import Rejected
from services.contracts.topics import REJECTED
from services.ingest.context import IngestContext
from services.ingest.publish.batches import Record

Source = Literal["http", "import", "pull"]


class Refused(Protocol):
    """A row or entry that was rejected, for example a reader's `Rejection`."""

    @property
    def file(self) -> str | None:
        """The file's base name, None by HTTP."""

    @property
    def line(self) -> int | None:
        """The physical line, or the entry's index by HTTP."""

    @property
    def field(self) -> str | None:
        """The field that is wrong, None when it is the whole row."""

    @property
    def reason(self) -> str:
        """Why, without anything of the row."""


def rejected_records(
    refused: Iterable[Refused], source: Source, at: datetime, partitions: Sequence[int]
) -> list[Record]:
    """A dead letter for each, in one partition by their source."""
    partition = partitions[crc32(source.encode()) % len(partitions)]
    return [
        Record(
            REJECTED.name,
            partition,
            source,
            Rejected(source=source, file=one.file, line=one.line, field=one.field, reason=one.reason, at=at)
            .model_dump_json()
            .encode(),
        )
        for one in refused
    ]


async def send_rejected(parts: IngestContext, refused: Iterable[Refused], source: Source) -> None:
    """Send a dead letter for each; raises `UnavailableError` when Kafka stays away."""
    partitions = await parts.publisher.partitions()
    await parts.publisher.send(rejected_records(refused, source, datetime.now(UTC), partitions))
