"""How a process that lives long gives memory back."""

from __future__ import annotations

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_KEPT: Final = 128 * 1024


def give_memory_back() -> None:
    """Have the C library keep little of what is freed, and always have large blocks from the system.

    Left to itself glibc takes larger and larger blocks from its heap once such were freed: arrays that come and go
    leave holes there, a fifth of the worker's memory. Other C libraries have no such call.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
