"""Names for the kinds of arrays that pass between modules."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Codes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Moments = npt.NDArray[np.int64]
"""Microseconds since the epoch (UTC)."""
Places = npt.NDArray[np.intp]
"""Positions in other arrays."""

Kind = TypeVar("Kind", bound=np.generic)


def grown(array: npt.NDArray[Kind], *shape: int, fill: int | float = 0) -> npt.NDArray[Kind]:
    """The array with at least this shape, what is new filled; itself when it is large enough."""
    if all(have >= want for have, want in zip(array.shape, shape, strict=True)):
        return array
    wider = np.full([max(have, want) for have, want in zip(array.shape, shape, strict=True)], fill, array.dtype)
    wider[tuple(slice(length) for length in array.shape)] = array
    return wider
