"""A proof of erasure for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from services.ingest.proofs.schemas import Proof


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
