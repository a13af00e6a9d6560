"""What pgrls says of the policies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from services.platform.embedded.endpoints import Stack

CONFIG = Path(__file__).resolve().parents[2] / "deploy" / "pgrls.toml"


def test_pgrls_finds_nothing(stack: Stack) -> None:
    env = {**os.environ, "DATABASE_URL": stack.database.replace("+psycopg", "")}
    argv = [Path(sys.executable).with_name("pgrls"), "lint", "--config", CONFIG]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
