"""The risk model as a file: plain numbers in JSON, with where they come from. Nothing in it is executed.

ArtifactError
├── MissingArtifactError    there is no such file
├── OtherSchemaError        written for other features or by another version of First Bell
└── CorruptArtifactError    not a model, or not a whole one
"""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.capacity import BINS
from models.features import NAMES
from models.risk_model import RiskModel, Steps

SCHEMA: Final = 1
SIBLING: Final = "sibling_score"
"""The name of the household's part."""
MOST_BYTES: Final = 4_000_000

Kind = Literal["logistic", "boosting", "none"]


class ArtifactError(Exception):
    """The model cannot be used; the message says why and what to do."""


class MissingArtifactError(ArtifactError):
    """There is no such file."""


class OtherSchemaError(ArtifactError):
    """Written for other features, or by another version of First Bell."""


class CorruptArtifactError(ArtifactError):
    """Not a model, or not a whole one."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Part):
    """A feature's part of the score: `values[k]` where k of the `edges` are at or below the feature's value."""

    feature: str
    edges: tuple[float, ...]
    values: tuple[float, ...]
    """Log-odds, 0 in the mean over the training rows."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.values) != len(self.edges) + 1 or list(self.edges) != sorted(set(self.edges)):
            raise ValueError("needs one value more than edges, and edges that rise")
        if not np.isfinite([*self.edges, *self.values]).all():
            raise ValueError("needs finite numbers")
        return self

    def steps(self) -> Steps:
        """The function."""
        return Steps(np.array(self.edges, dtype=np.float64), np.array(self.values, dtype=np.float64))


class Training(_Part):
    """What the model was trained on."""

    simulated: bool
    """Whether no real child is in it."""
    students: int
    rows: int
    positives: int
    first_day: date
    last_day: date
    data_sha256: str
    seed: int
    versions: dict[str, str]


class ModelChange(_Part):
    """One change of the model in use, and its reason."""

    on: date
    accepted: bool
    reason: str
    figures: dict[str, float | None] = Field(default_factory=dict)


class Artifact(_Part):
    """A risk model."""

    schema_version: int = SCHEMA
    name: str
    kind: Kind
    """`none`: the history showed no signal, and the model claims none."""
    capacity: int = Field(ge=1)
    """New alerts a week for which it was chosen."""
    intercept: float = Field(allow_inf_nan=False)
    steps: tuple[Step, ...]
    sibling: Step
    """The household's part: of the highest own score of a sibling; `values[0]` without one."""
    early_weeks: tuple[float, ...] = ()
    """What scores do in a year's first weeks (`models.capacity.early_weeks`); empty when nothing is claimed."""
    base_rate: float = Field(ge=0, le=1)
    """The share of training rows that came true."""
    training: Training
    metrics: dict[str, dict[str, float | None]]
    """Per candidate, on students and weeks that it was not trained on."""
    changes: tuple[ModelChange, ...] = ()

    @field_validator("early_weeks")
    @classmethod
    def _all_bins(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if len(shares) not in (0, BINS) or not all(0 <= share <= 1 for share in shares):
            raise ValueError("needs a share for every bin")
        return shares

    @property
    def signal(self) -> bool:
        """Whether it claims to see anything."""
        return self.kind != "none"

    @property
    def caveat(self) -> str:
        """What must be said wherever a score is shown."""
        return "The model was trained on simulated data." if self.training.simulated else ""

    @cached_property
    def model(self) -> RiskModel:
        """The model, ready to score."""
        return RiskModel(self.intercept, [step.steps() for step in self.steps], self.sibling.steps())

    @cached_property
    def digest(self) -> str:
        """Names the artifact by its content (SHA-256, hexadecimal)."""
        return hashlib.sha256(self.dump().encode()).hexdigest()

    def dump(self) -> str:
        """The artifact as JSON; the same artifact, the same text."""
        return self.model_dump_json(indent=1) + "\n"


def parse_artifact(text: str, source: str) -> Artifact:
    """Read an artifact; `source` names it in messages. Raises `ArtifactError`."""
    try:
        found = _Head.model_validate_json(text)
    except ValidationError as error:
        raise CorruptArtifactError(
            f"{source} is not a risk model of First Bell, or not a whole one. {_AGAIN}"
        ) from error
    if found.schema_version != SCHEMA:
        raise OtherSchemaError(
            f"{source} has schema {found.schema_version}, and this First Bell reads schema {SCHEMA}. {_AGAIN}"
        )
    if tuple(step.feature for step in found.steps) != NAMES:
        raise OtherSchemaError(f"{source} was trained on other features than this First Bell computes. {_AGAIN}")
    try:
        return Artifact.model_validate_json(text)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise CorruptArtifactError(f"{source} is damaged at `{where}`. {_AGAIN}") from error


_AGAIN: Final = "Train it anew with `firstbell train`, or leave FIRSTBELL_MODEL_FILE unset for the one that ships."

_NONE_SHIPS: Final = (
    "The model that ships is missing. Install First Bell again, or set FIRSTBELL_MODEL_FILE to one from "
    "`firstbell train`."
)


class _Name(BaseModel):
    feature: str


class _Head(BaseModel):
    """What says whether the rest can be read at all."""

    schema_version: int
    steps: list[_Name]


def load_artifact(path: Path) -> Artifact:
    """The artifact of a file. Raises `ArtifactError`."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise CorruptArtifactError(f"{path.name} is too large for a risk model. {_AGAIN}")
        return parse_artifact(data.decode(), path.name)
    except FileNotFoundError as error:
        raise MissingArtifactError(f"There is no {path.name}. {_AGAIN}") from error
    except UnicodeDecodeError as error:
        raise CorruptArtifactError(f"{path.name} is not text. {_AGAIN}") from error
    except OSError as error:
        raise MissingArtifactError(f"{path.name} cannot be read: {error.strerror}. {_AGAIN}") from error


def default_artifact() -> Artifact:
    """The artifact that ships, trained on simulated worlds. Raises `ArtifactError`."""
    try:
        text = files("models").joinpath("artifacts/default.json").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MissingArtifactError(_NONE_SHIPS) from error
    return parse_artifact(text, "the model that ships")
