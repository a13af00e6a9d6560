"""What the OpenAPI documents say of who may do what: the ground of every test of access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fastapi import FastAPI

from services.platform.identity.guard import HEALTH

_METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}


class Operation(NamedTuple):
    """One method of one path, and the roles of its rule; None when it has no rule."""

    method: str
    path: str
    roles: frozenset[str] | None

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"


def operations(app: FastAPI) -> Iterator[Operation]:
    """Every operation that needs a token."""
    for path, item in app.openapi()["paths"].items():
        for method in item.keys() & _METHODS if path not in HEALTH else ():
            needed = [rule["token"] for rule in item[method].get("security", []) if "token" in rule]
            yield Operation(method, path, frozenset(needed[0]) if needed else None)
