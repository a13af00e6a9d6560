"""Files that hold a secret: made once, whole or not at all, for their owner's eyes only."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from services.platform.settings import SettingsError


def load_secret(path: Path, make: Callable[[], bytes], name: str) -> bytes:
    """What is in the file; when there is none, it is made (mode 0600) with what `make` gives.

    `name` is the secret's, for messages. Raises `SettingsError` when others may read it.
    """
    if not path.exists():
        _make(path, make())
    return read_secret(path, name)


def read_secret(path: Path, name: str) -> bytes:
    """What is in the file, which is there. Raises `SettingsError` when others may read it."""
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise SettingsError(
                f"The {name} {path} may be read by others (mode {mode:04o}). "
                f"Run `chmod 600 {path}`, and make a new key if someone may have read it."
            )
        return file.read()


def _make(path: Path, content: bytes) -> None:
    """Appears whole or not at all; when two processes start at once, the first one's stays."""
    path.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.mkdir(exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
