"""Proofs of erasure for people, and how long a command waits until none is pending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.ingest.agreement.document import FeedId
from services.ingest.proofs.schemas import Proof

WAIT_SECONDS: Final = 30.0
EXIT_PENDING: Final = 4
"""The exit status when some service has not confirmed by then: it goes on by itself."""


def describe_all(proofs: Sequence[Proof], feeds: Mapping[UUID, FeedId]) -> Sequence[str]:
    """Proofs, by the feeds that they are of: one whole, several in short."""
    if len(proofs) == 1:
        return describe(proofs[0], feeds[proofs[0].id])
    ordered = sorted(proofs, key=lambda one: feeds[one.id].in_words)
    return [line for one in ordered for line in _brief(one, feeds[one.id])]


def _brief(proof: Proof, feed: FeedId) -> Sequence[str]:
    removed = ", ".join(f"{number:,} {place}" for place, number in proof.removed.items())
    return [
        f"{feed.in_words}: {proof.state}",
        f"  proof      {proof.id}",
        f"  pseudonym  {proof.pseudonym}",
        f"  removed    {removed or 'nothing yet'}",
        f"  confirmed  {', '.join(proof.confirmed) or 'by none yet'}",
    ]


def describe(proof: Proof, feed: FeedId) -> Sequence[str]:
    """The whole proof, a line each."""
    lines = [
        f"Proof {proof.id}: {proof.state}",
        f"  of         {feed.in_words}",
        f"  pseudonym  {proof.pseudonym}",
        f"  since      {moment(proof.at)} UTC, by {proof.by}",
    ]
    lines += [f"  removed    {number:,} {place}" for place, number in proof.removed.items()]
    lines += [f"  confirmed  {service}, {moment(at)} UTC" for service, at in proof.confirmed.items()]
    return lines


def moment(at: datetime) -> str:
    """To the second, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
