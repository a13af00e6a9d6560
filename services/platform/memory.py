"""How a process that makes many objects keeps its memory, and looks for garbage."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_KEPT: Final = 128 * 1024


def collect_rarely() -> None:
    """Look for cycles of garbage more rarely than Python's default does.

    What is made of rows and marks has none, and is looked through again and again: a fifth of an import's time.
    """
    gc.set_threshold(100_000, 50, 100)


def give_memory_back() -> None:
    """Have the C library keep little of what is freed, and always have large blocks from the system.

    Left to itself glibc takes larger and larger blocks from its heap once such were freed: arrays that come and go
    leave holes there, a fifth of the worker's memory. Other C libraries have no such call.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
