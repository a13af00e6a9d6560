"""Bytecode where Python may not write it beside its sources: without any, each process compiles a thousand modules."""

from __future__ import annotations

import sys

import platformdirs


def bytecode_folder() -> str:
    """A folder in the user's cache."""
    return str(platformdirs.user_cache_path("firstbell") / "bytecode")


def keep_bytecode_aside() -> None:
    """Have this process read and write its bytecode there, unless it may write it beside its sources."""
    if sys.dont_write_bytecode and sys.pycache_prefix is None:
        sys.pycache_prefix = bytecode_folder()
        sys.dont_write_bytecode = False
