"""Puts identity before a service's application."""

from __future__ import annotations

from fastapi import FastAPI

from services.platform.identity.guard import DOCUMENTS, HEALTH, Authentication
from services.platform.identity.me import me_router
from services.platform.identity.trust import make_verifier
from services.platform.settings import Settings


def add_identity(app: FastAPI, settings: Settings, *, for_people: bool = True) -> None:
    """Ask for a token everywhere but where the settings leave it open, and add `GET /v1/me`.

    A service that is not `for_people` has routes for services alone, and needs no issuer of people.
    Raises `SettingsError` when nobody could be known.
    """
    health = frozenset[str]() if settings.token_for_health else HEALTH
    documents = frozenset[str]() if settings.token_for_docs else DOCUMENTS
    app.add_middleware(
        Authentication, verifier=make_verifier(settings, for_people=for_people), open_paths=health | documents
    )
    app.include_router(me_router())
