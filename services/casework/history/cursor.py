"""The opaque cursor: where a page ended, in an order that no update changes."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date
from uuid import UUID


class InvalidCursorError(ValueError):
    """The cursor is not one that this service has given out."""


@dataclass(frozen=True, slots=True)
class Position:
    """The last alert of a page. Neither value ever changes, so a page boundary stays where it was."""

    raised_on: date
    id: UUID


def encode(position: Position) -> str:
    """The cursor of what comes after `position`."""
    raw = position.raised_on.toordinal().to_bytes(4, "big") + position.id.bytes
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(cursor: str) -> Position:
    """The position of a cursor; raises `InvalidCursorError`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = Position(date.fromordinal(int.from_bytes(raw[:4], "big")), UUID(bytes=raw[4:]))
    except (ValueError, OverflowError, binascii.Error) as error:
        raise InvalidCursorError from error
    if encode(position) != cursor:
        raise InvalidCursorError
    return position
