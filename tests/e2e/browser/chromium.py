"""Chromium as the system has it; as root on Debian it is installed once."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium")
REQUIRED = "FIRSTBELL_REQUIRE_BROWSER"
HOW = f"No Chromium is there. Install it, for example by `{' '.join(INSTALL)}`."


class NoBrowserError(Exception):
    """There is no Chromium, and none could be installed; the message says how to."""


def find_chromium(which: Callable[[str], str | None] = shutil.which, *, may_install: bool | None = None) -> Path:
    """The browser's program; raises `NoBrowserError`."""
    if (found := _found(which)) is not None:
        return found
    if _is_debian_root() if may_install is None else may_install:
        with FileLock(Path(tempfile.gettempdir()) / "firstbell-chromium.lock"):
            if _found(which) is None:
                _install()
        if (found := _found(which)) is not None:
            return found
    raise NoBrowserError(HOW)


def _found(which: Callable[[str], str | None]) -> Path | None:
    return next((Path(path) for name in NAMES if (path := which(name)) is not None), None)


def _is_debian_root() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which(INSTALL[0]) is not None


def _install() -> None:
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (INSTALL, ("apt-get", "update", "--quiet"), INSTALL):
        done = subprocess.run(command, env=env, capture_output=True, check=False)
        if command is INSTALL and done.returncode == 0:
            return
