"""Peers run in an environment of their own, so that their pins stay out of ours."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Final

from services.platform.processes import ProcessError

QUIX: Final = "quixstreams==3.28.1"
PANDAS: Final = "pandas==2.3.3"


def isolated(requirement: str, *arguments: str) -> list[str]:
    """The command that runs our Python with this package alone; raises `ProcessError` without uv."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise ProcessError(f"uv is not on the PATH, and {requirement} needs it for an environment of its own")
    of_its_own = ["--isolated", "--no-project", "--python", sys.executable, "--with", requirement]
    return [uv, "run", *of_its_own, "python", *arguments]
