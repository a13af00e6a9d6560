"""Pin every version, transitive ones too, in pyproject.toml's `[tool.uv]`.

`uv run python deploy/pin.py` writes the pins of the newest resolution; `--check` only compares, and
exits with 1 when one is missing. No lock file is kept: its lines name an index.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
BUILD = ("hatchling", "packaging", "pathspec", "pluggy", "trove-classifiers")
BLOCK = re.compile(r"# pins: begin\n.*?# pins: end\n", re.DOTALL)


def _run(*command: str, text: str | None = None) -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603


def _pins() -> list[str]:
    export = ("export", "-q", "--no-hashes", "--no-emit-project", "--all-groups", "--no-annotate", "--no-header")
    return [line.strip() for line in _run("uv", *export).splitlines() if line.strip()]


def _build_pins() -> list[str]:
    resolved = _run(
        "uv", "pip", "compile", "-q", "--no-annotate", "--no-header", "--universal", "-", text="\n".join(BUILD)
    )
    return [line.strip() for line in resolved.splitlines() if line.strip()]


def _block(pins: list[str], build: list[str]) -> str:
    def listed(name: str, lines: list[str]) -> str:
        return f"{name} = [\n" + "".join(f'  "{line}",\n' for line in lines) + "]\n"

    body = listed("constraint-dependencies", pins) + listed("build-constraint-dependencies", build)
    return f"# pins: begin\n[tool.uv]\n{body}# pins: end\n"


def main() -> int:
    """Write or check the pins; returns the exit status."""
    text = PYPROJECT.read_text(encoding="utf-8")
    if "--check" in sys.argv[1:]:
        found = BLOCK.search(text)
        missing = [pin for pin in _pins() if found is None or f'"{pin}"' not in found.group()]
        for pin in missing:
            sys.stderr.write(f"not pinned: {pin}\n")
        return 1 if missing else 0
    block = _block(_pins(), _build_pins())
    text = BLOCK.sub(lambda _: block, text) if BLOCK.search(text) else f"{text}\n{block}"
    PYPROJECT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
