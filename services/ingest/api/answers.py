"""Answers: each entry's result in its order, and how many there are of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

import msgspec
from pydantic import BaseModel, Field

from services.ingest.rows.outcomes import Outcome, Status, tally

_AT_ONCE = 1_000


class Result(BaseModel):
    """What became of one entry."""

    index: int = Field(description="The entry's place in the request, from 0")
    status: Status
    reason: str | None = Field(description="Why it was not accepted, in plain words; it never repeats the entry")
    warning: str | None = Field(
        default=None,
        description="What an accepted mark does not do: it counts nowhere, or changes nothing. Of a consent: what is "
        "to be done, as the student has turned eighteen",
    )
    student: str | None = Field(
        default=None, description="Consents only: the pseudonym of a student whose consent is now in force"
    )


class Answer(BaseModel):
    """All results, counted."""

    accepted: int
    duplicate: int
    rejected: int
    not_consented: int
    out_of_scope: int
    results: list[Result]


class Problem(BaseModel):
    """RFC 9457: why the request as a whole was not served."""

    type: str
    title: str
    status: int
    detail: str


def answer(outcomes: Sequence[Outcome]) -> Iterator[bytes]:
    """The JSON of an `Answer` in pieces, so that a long one is never whole in memory."""
    counts = tally(outcomes)
    statuses: tuple[Status, ...] = get_args(Status)
    head = msgspec.json.encode({status: counts[status] for status in statuses})
    yield head[:-1] + b',"results":['
    for start in range(0, len(outcomes), _AT_ONCE):
        some = [_result(start + place, one) for place, one in enumerate(outcomes[start : start + _AT_ONCE])]
        yield (b"," if start else b"") + msgspec.json.encode(some)[1:-1]
    yield b"]}"


def _result(index: int, outcome: Outcome) -> dict[str, object]:
    result: dict[str, object] = {"index": index, "status": outcome.status, "reason": outcome.reason}
    if outcome.warning is not None:
        result["warning"] = outcome.warning
    if outcome.student is not None:
        result["student"] = outcome.student
    return result
