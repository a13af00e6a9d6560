"""A proof of erasure for people, and how long a command waits until none is pending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from services.ingest.proofs.schemas import Proof

WAIT_SECONDS: Final = 30.0
EXIT_PENDING: Final = 4
"""The exit status when some service has not confirmed by then: it goes on by itself."""


def describe(proof: Proof) -> Sequence[str]:
    """The whole proof, a line each."""
    lines = [
        f"Proof {proof.id}: {proof.state}",
        f"  pseudonym  {proof.pseudonym}",
        f"  since      {moment(proof.at)} UTC, by {proof.by}",
    ]
    lines += [f"  removed    {number:,} {place}" for place, number in proof.removed.items()]
    lines += [f"  confirmed  {service}, {moment(at)} UTC" for service, at in proof.confirmed.items()]
    return lines


def moment(at: datetime) -> str:
    """To the second, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
