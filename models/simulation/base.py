"""What every part of the simulator shares: array types, config base, and one random stream per part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]
SmallArray: TypeAlias = npt.NDArray[np.int16]
CodeArray: TypeAlias = npt.NDArray[np.int8]
FloatArray: TypeAlias = npt.NDArray[np.float64]

Share = Annotated[float, Field(ge=0, le=1)]
"""A fraction 0-1."""
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] >= value[1]:
        raise ValueError("the first must be less than the second")
    return value


def _rising_days(value: tuple[int, int]) -> tuple[int, int]:
    if not 0 < value[0] < value[1]:
        raise ValueError("the first must be at least 1 and less than the second")
    return value


Range = Annotated[tuple[float, float], AfterValidator(_rising)]
"""From and to."""
Span = Annotated[tuple[Share, Share], AfterValidator(_rising)]
"""From and to, both fractions 0-1."""
Lengths = Annotated[tuple[int, int], AfterValidator(_rising_days)]
"""The shortest and the longest, whole days or minutes."""


class Config(BaseModel):
    """A frozen part of the world's config; an unknown parameter is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def stream(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one part of the world: a change in another part does not move them."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, crc32(name.encode())])))


def pick(rng: np.random.Generator, shares: Sequence[float] | FloatArray, size: int) -> IntArray:
    """Positions in `shares`, drawn in proportion to them."""
    weights = np.array(shares)
    edges = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(edges, rng.random(size), side="right"), len(weights) - 1)


def lognormal(rng: np.random.Generator, median: float, spread: float, size: int) -> FloatArray:
    """Positive numbers with this median; `spread` is the standard deviation of their logarithm."""
    return np.asarray(median * np.exp(spread * rng.standard_normal(size)))
