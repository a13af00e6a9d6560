"""The risk model that this worker uses, or why it uses none: then the rules go on alone, visibly."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from prometheus_client import Gauge

from models.artifact import Artifact, ArtifactError, default_artifact, load_artifact
from services.warning.capacity import CapacityControl
from services.warning.settings import WarningSettings

log = logging.getLogger(__name__)

IN_USE = Gauge("firstbell_warning_model_in_use", "1 when the risk model scores, 0 when the rules go on alone")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """The model, if it could be loaded, and the capacity that it fills."""

    artifact: Artifact | None
    capacity: int | None
    problem: str | None = None
    """Why there is no model."""

    def capacity_control(self) -> CapacityControl:
        """What a partition steers by."""
        return CapacityControl(self.artifact, self.capacity)

    def document(self) -> dict[str, object]:
        """For the edge and `doctor`."""
        if self.artifact is None:
            return {"in_use": False, "problem": self.problem}
        return {
            "in_use": True,
            "name": self.artifact.name,
            "simulated": self.artifact.training.simulated,
            "signal": self.artifact.signal,
            "capacity": self.capacity,
        }


def load_model(settings: WarningSettings) -> LoadedModel:
    """The model of the settings; one that cannot be used is logged, and the rules go on alone."""
    try:
        chosen = settings.model_file
        artifact = default_artifact() if chosen is None else load_artifact(chosen)
    except ArtifactError as error:
        log.error("no risk model, the rules go on alone: %s", error)
        IN_USE.set(0)
        return LoadedModel(None, settings.capacity, str(error))
    IN_USE.set(1)
    return LoadedModel(artifact, settings.capacity)
