"""From a form to an action of the API."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import FormData

from services.casework.console.forms import text

FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "take": (),
    "undo": (),
    "assign": ("to", "note"),
    "contact": ("result", "kind", "until", "note"),
    "refer": ("to", "note"),
    "snooze": ("until", "until_worse", "reason"),
    "close": ("outcome", "note"),
    "accept_referral": (),
    "decline_referral": ("reason",),
}
"""What the form of each action has."""


def body_of(form: FormData, action: str) -> dict[str, Any]:
    """The action as the API takes it; empty fields are left out."""
    found = {name: text(form, name) for name in FIELDS[action]}
    body: dict[str, Any] = {name: value for name, value in found.items() if value is not None}
    if "until_worse" in body:
        body["until_worse"] = True
    return {"action": action, **body}


def headers_of(version: str, key: str) -> dict[str, str]:
    """That it is done once, and about what was seen."""
    return {"If-Match": f'"{version}"', "Idempotency-Key": key}


def with_word(path: str, word: str) -> str:
    """Where to go on, and what is said there."""
    parts = urlsplit(path)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "said"]
    return f"{parts.path}?{urlencode([*query, ('said', word)])}"
