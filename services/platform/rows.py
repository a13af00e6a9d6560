"""Many rows as one parameter of a statement: a JSON array, which PostgreSQL's `json_to_recordset` reads back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping


def as_json(rows: Iterable[Mapping[str, object]]) -> str:
    """The rows; ids, dates and moments as text."""
    return json.dumps(list(rows), default=str, ensure_ascii=False)
