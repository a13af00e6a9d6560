from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from models.attendance import NO_TIME
from services.ingest.rows.parse import MarkRow, parse_mark, to_utc
from services.lab.year import moments
from services.lab.year.moments import recorded

_ZONES = [ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")]
_TEXTS = [
    None,
    "  ",
    "2025-10-27T08:15:00",
    "2025-10-27 08:15",
    "2025-10-27 08:15:30.250-04:00",
    "2025-10-27T23:59:59.999999Z",
    "2025-10-27T23:59:59.5-03:30",
    "2025-11-02T01:30:00",
    "2026-03-08T02:30:00",
    "2026-04-05T01:45:00",
    "2025-10-27T08:15:00+23:59",
    "2025-10-27T08:15:00+05:30:15",
    "20251027T081500Z",
    "2025-W44-1T08:15",
    "2000-01-01T00:00:00+14:00",
    "2100-12-31T23:59:59",
    "2025-10-27",
    "2025-02-30T08:15:00",
    "2025-10-27T24:00:00",
    "2025-10-27T08:15:60",
    "2101-01-01T00:00:00",
    "soon",
]


@pytest.mark.parametrize("sample", [moments._SAMPLE, 1], ids=["each text once", "row by row"])
def test_moments_are_those_that_ingest_reads(sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "_SAMPLE", sample)
    texts = [text for text in _TEXTS for _ in _ZONES]
    zone = np.array([place for _ in _TEXTS for place in range(len(_ZONES))], np.int32)

    read = recorded(pl.Series(texts, dtype=pl.String), zone, _ZONES)

    for place, text in enumerate(texts):
        tz = _ZONES[zone[place]]
        row = parse_mark(
            {"student_id": "1", "school_id": "1", "date": "2025-10-27", "status": "absent", "recorded_at": text}
        )
        assert read.bad[place] == (not isinstance(row, MarkRow))
        if isinstance(row, MarkRow):
            at = None if row.recorded_at is None else to_utc(row.recorded_at, tz)
            assert read.utc[place] == (NO_TIME if at is None else round(at.timestamp() * 1_000_000))
            assert read.day[place] == (0 if at is None else at.astimezone(tz).date().toordinal())
