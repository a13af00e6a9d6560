"""Which risk model scores, as the running worker says, or why the rules go on alone."""

from __future__ import annotations

import httpx
from pydantic import BaseModel, ValidationError

from services.platform.checks.result import CheckResult, failed, ok, skipped
from services.platform.checks.target import Target


class ModelInUse(BaseModel):
    """What the worker answers to `/v1/model`."""

    in_use: bool
    problem: str | None = None
    """Why there is none."""
    name: str = ""
    simulated: bool = False
    """Whether it was trained on simulated data alone."""
    signal: bool = True
    """Whether it claims to see anything."""
    capacity: int | None = None


async def check_model(target: Target, timeout: float) -> list[CheckResult]:
    """Is there a model in use?"""
    if "warning" not in target.services:
        return [skipped("model", target.nothing_runs)]
    url = f"{target.services['warning'].rstrip('/')}/v1/model"
    try:
        async with target.connect(timeout) as client:
            answer = await client.get(url)
            answer.raise_for_status()
        return [judge_model(ModelInUse.model_validate_json(answer.content))]
    except (httpx.HTTPError, ValidationError):
        return [skipped("model", "the worker does not say which model it uses")]


def judge_model(model: ModelInUse) -> CheckResult:
    """Does a model score?"""
    if not model.in_use:
        hint = "Then start the worker again. Until then the rules alone raise alerts, at their own levels."
        return failed("model", f"none, the rules go on alone: {model.problem}", hint)
    told = [model.name]
    if model.simulated:
        told.append("trained on simulated data")
    if not model.signal:
        told.append("which claims to see nothing")
    places = f"capacity {model.capacity} a week" if model.capacity else "no capacity, so the rules' levels hold"
    return ok("model", ", ".join([*told, places]))
