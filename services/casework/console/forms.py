"""What comes from a form: only from a page of ours, and only from who was given it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import Request
from starlette.datastructures import FormData

from services.casework.console.refusals import RefusedPageError
from services.casework.console.sessions import same

FIELD: Final = "csrf"
MOST_FIELDS: Final = 1_500
"""A selection of a page of cases, and what is done about them."""
_OURS: Final = frozenset({"same-origin", "none"})


async def form_of(request: Request) -> FormData:
    """The form; raises `RefusedPageError` when it does not come from a page of ours."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site not in _OURS if site is not None else _is_foreign(origin, request)
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    if foreign or not same(str(form.get(FIELD, "")), request.state.csrf):
        raise RefusedPageError(403, "expired_form")
    return form


def _is_foreign(origin: str | None, request: Request) -> bool:
    return origin not in (None, "null") and urlsplit(str(origin)).netloc != request.headers.get("host")


def text(form: FormData, name: str) -> str | None:
    """A field's text, None when it is empty."""
    value = form.get(name)
    return value.strip() or None if isinstance(value, str) else None


def new_key() -> str:
    """The idempotency key of a form: sent twice it is done once."""
    return uuid4().hex


def local_path(given: str | None) -> str:
    """Where to go on: a path of ours, else the first page."""
    if given is None or not given.startswith("/") or given.startswith(("//", "/\\")) or "\\" in given:
        return "/"
    return given if given.isprintable() and urlsplit(given).netloc == "" else "/"
