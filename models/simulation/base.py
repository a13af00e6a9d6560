"""What every part of the simulator shares: array types, config base, and one random stream per part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Self, TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]
SmallArray: TypeAlias = npt.NDArray[np.int16]
CodeArray: TypeAlias = npt.NDArray[np.int8]
FloatArray: TypeAlias = npt.NDArray[np.float64]

SCHOOL_DAY_MINUTES = 390

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


def _rising_minutes(value: tuple[int, int]) -> tuple[int, int]:
    if value[1] > SCHOOL_DAY_MINUTES:
        raise ValueError(f"must be at most {SCHOOL_DAY_MINUTES}, a school day")
    return _rising_days(value)


def _some_weight(value: tuple[float, ...]) -> tuple[float, ...]:
    if not any(value):
        raise ValueError("at least one must be more than 0")
    return value


Range = Annotated[tuple[float, float], AfterValidator(_rising)]
"""From and to."""
Span = Annotated[tuple[Share, Share], AfterValidator(_rising)]
"""From and to, both fractions 0-1."""
Lengths = Annotated[tuple[int, int], AfterValidator(_rising_days)]
"""The shortest and the longest, whole days."""
Minutes = Annotated[tuple[int, int], AfterValidator(_rising_minutes)]
"""The shortest and the longest, whole minutes of a school day."""
Shares = Annotated[tuple[Share, ...], AfterValidator(_some_weight)]
"""Any number of them; what counts is their proportion."""
Weekdays = Annotated[
    tuple[NonNegative, NonNegative, NonNegative, NonNegative, NonNegative], AfterValidator(_some_weight)
]
"""Monday to Friday, in proportion."""


class Config(BaseModel):
    """A frozen part of the world's config; an unknown parameter is an error.

    The docstring of a parameter is its description, which `firstbell simulate --show-config` prints.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    def changed(self, changes: Mapping[str, object]) -> Self:
        """This config with other values: of a part only what differs is named, a list is replaced whole.

        Raises pydantic's `ValidationError`, whose locations are the keys of `changes`.
        """
        return type(self).model_validate(_merged(self.model_dump(), changes))


def _merged(values: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    merged = dict(values)
    for name, new in changes.items():
        old = merged.get(name)
        merged[name] = _merged(old, new) if isinstance(old, Mapping) and isinstance(new, Mapping) else new
    return merged


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
