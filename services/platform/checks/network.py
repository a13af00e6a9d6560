"""Checks of the SMTP server and of the services."""

from __future__ import annotations

import aiosmtplib
import httpx
from pydantic import BaseModel, ValidationError

from services.platform.checks.result import CheckResult, failed, ok, skipped
from services.platform.checks.target import Target

IMPLICIT_TLS_PORT = 465


async def check_smtp(target: Target, timeout: float) -> list[CheckResult]:
    """Does it answer EHLO? No mail is sent."""
    if target.smtp is None:
        return [skipped("smtp", target.nothing_runs)]
    host, _, port = target.smtp.rpartition(":")
    if not host or not port.isdecimal():
        return [failed("smtp", "FIRSTBELL_SMTP is not host:port", "Set it, for example to smtp.example.org:587.")]
    tls = int(port) == IMPLICIT_TLS_PORT
    client = aiosmtplib.SMTP(hostname=host.strip("[]"), port=int(port), timeout=timeout, use_tls=tls)
    try:
        async with client:
            await client.ehlo()
    except (aiosmtplib.SMTPException, OSError) as error:
        hint = "See whether it runs and whether FIRSTBELL_SMTP is right. Mails wait in the outbox until it does."
        return [failed("smtp", f"{target.smtp} does not answer EHLO ({type(error).__name__})", hint)]
    return [ok("smtp", f"{target.smtp} answers EHLO")]


async def check_services(target: Target, timeout: float) -> list[CheckResult]:
    """Is each service ready? What is not, says by itself which of its dependencies is away."""
    if not target.services:
        return [skipped("services", target.nothing_runs)]
    async with target.connect(timeout) as client:
        return [await _check_service(client, name, url) for name, url in sorted(target.services.items())]


async def _check_service(client: httpx.AsyncClient, name: str, url: str) -> CheckResult:
    ready = f"{url.rstrip('/')}/readyz"
    try:
        response = await client.get(ready)
    except httpx.HTTPError as error:
        hint = f"See whether it runs; {name}.log in the data folder's logs says more."
        return failed(name, f"{ready} does not answer ({type(error).__name__})", hint)
    if response.is_success:
        return ok(name, f"{ready} is ready")
    return failed(name, f"{ready} says {response.status_code}", explain(response))


def explain(response: httpx.Response) -> str:
    """What `/readyz` says is away, or where to look."""
    try:
        checks = _Readiness.model_validate_json(response.content).checks
    except ValidationError:
        checks = {}
    away = "; ".join(f"{part}: {problem}" for part, problem in checks.items() if problem != "ok")
    return away or "Its log in the data folder's logs says more."


class _Readiness(BaseModel):
    """What `services.platform.http` answers to `/readyz`."""

    checks: dict[str, str]
