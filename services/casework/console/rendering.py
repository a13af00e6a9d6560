"""Pages of Jinja2 templates, in the reader's language, in one frame."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from services.casework.console.language import IN_REVIEW, LANGUAGES, Language, translations_of
from services.casework.console.sessions import ConsoleSession
from services.casework.console.words import Words
from services.platform.identity.caller import Caller
from services.platform.notice import NOTICE

STATIC: Final = "static"
_DIGITS: Final = 16


@cache
def asset(name: str) -> tuple[str, bytes]:
    """An asset's hash, by which its address changes with it, and its content; raises `FileNotFoundError`."""
    content = files(__package__).joinpath(STATIC, name).read_bytes()
    return sha256(content).hexdigest()[:_DIGITS], content


def asset_url(name: str) -> str:
    """Where an asset is."""
    return f"/static/{asset(name)[0]}/{name}"


@cache
def _environment(code: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("services.casework.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    environment.install_gettext_translations(translations_of(code), newstyle=True)  # type: ignore[attr-defined]
    return environment


def render(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The page."""
    language: Language = request.state.language
    session: ConsoleSession | None = getattr(request.state, "session", None)
    caller: Caller | None = getattr(request.state, "who", None)
    frame = {
        "language": language,
        "languages": LANGUAGES,
        "in_review": IN_REVIEW,
        "words": Words(language),
        "nonce": request.state.nonce,
        "asset": asset_url,
        "session": session,
        "caller": caller,
        "csrf": request.state.csrf,
        "path": request.url.path,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "notice": NOTICE,
        "htmx_config": json.dumps({"includeIndicatorCSS": False, "history": False, "transitions": False}),
        "said": request.query_params.get("said"),
    }
    page = _environment(language.code).get_template(template).render({**frame, **context})
    return HTMLResponse(page, status, {"Content-Language": language.code, **(headers or {})})
