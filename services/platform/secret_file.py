"""Secrets that are made at first use: each a file that only its owner may read."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from services.platform.settings import SettingsError


def read_secret(path: Path, make: Callable[[], bytes], what: str) -> bytes:
    """What is in the file, which is made (mode 0600) when there is none; `what` names it in a message.

    Raises `SettingsError` when others may read it.
    """
    if not path.exists():
        _make(path, make())
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise SettingsError(
                f"{what} {path} may be read by others (mode {mode:04o}). "
                f"Run `chmod 600 {path}`, and make a new one if someone may have read it."
            )
        return file.read()


def _make(path: Path, secret: bytes) -> None:
    """Appears whole or not at all; when two processes start at once, the first one's secret stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
