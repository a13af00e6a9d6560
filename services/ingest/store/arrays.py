"""Long arrays as one string each: the driver spends ten times as long on a list of the same values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

BETWEEN: Final = "\x1f"
"""Never inside an id: ids are printable."""


def joined(values: Iterable[object]) -> str:
    """The values as text, for `string_to_array(…, chr(31))`."""
    return BETWEEN.join(map(str, values))
