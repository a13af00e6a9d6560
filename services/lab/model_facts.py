"""What is said of a risk model wherever its scores are shown."""

from __future__ import annotations

from models.artifact import SCHEMA, Artifact


def model_facts(artifact: Artifact) -> dict[str, object]:
    """Name, origin, what training measured."""
    training = artifact.training
    kind = "simulated" if training.simulated else "real"
    return {
        "name": artifact.name,
        "version": f"schema {SCHEMA}",
        "kind": artifact.kind,
        "trained_on": f"{training.students:,} {kind} students, {training.first_day} to {training.last_day}",
        "simulated": training.simulated,
        "signal": artifact.signal,
        "features": [step.feature for step in artifact.steps],
        "metrics": artifact.metrics,
        "data_hash": training.data_sha256,
        "created": training.last_day.isoformat(),
    }
