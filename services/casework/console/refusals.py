"""What the console answers when it cannot show what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class RefusedPageError(Exception):
    """A page that says why not: `why` is a word of the template `refused.html`, or a problem of the API."""

    def __init__(self, status: int, why: str, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.problem = dict(problem or {})


class SignInFirstError(Exception):
    """Nobody is signed in, or not any more."""
