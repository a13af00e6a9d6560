"""What a check answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's answer. `hint` says what to do, when it failed. No text holds a password or a person's data."""

    name: str
    status: Status
    detail: str
    hint: str | None = None


def ok(name: str, detail: str) -> CheckResult:
    """It is as it should be."""
    return CheckResult(name, "ok", detail)


def failed(name: str, detail: str, hint: str) -> CheckResult:
    """It is not, and this is what to do."""
    return CheckResult(name, "failed", detail, hint)


def skipped(name: str, why: str) -> CheckResult:
    """There was nothing to look at."""
    return CheckResult(name, "skipped", why)
