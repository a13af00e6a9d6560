"""Parts that the page has many of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from services.inspection.words import day
from services.platform.page.elements import Element, paragraph, table

DASH: Final = "-"
"""Where there is nothing to say."""


def table_or(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], none: str) -> Element:
    """The table; without rows the sentence `none` in its place."""
    return table(caption, head, rows) if rows else paragraph(none)


def day_or_dash(given: date | None) -> str:
    """A date, where there is one."""
    return DASH if given is None else day(given)
