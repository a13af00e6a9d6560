"""`recorded_at` as numbers, for many rows at once: the moment in UTC, and the school-local date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from models.arrays import Flags, Ints
from models.attendance import NO_TIME
from services.ingest.rows.parse import RowError
from services.lab.year.columns import TextCodes, codes_of, parsed

Moments = npt.NDArray[np.int64]
"""Microseconds since the epoch."""

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the arithmetic is that of local times
_EPOCH_DAY: Final = _EPOCH.toordinal()
_MICROSECOND: Final = timedelta(microseconds=1)
_MINUTE: Final = 60_000_000
_QUARTER: Final = 15 * _MINUTE
"""No timezone changes its offset in between."""
_DAY: Final = 24 * 60 * _MINUTE
_SAMPLE: Final = 10_000
_USUAL: Final = (
    r"^(?:20\d\d|2100)-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3}|\.\d{6})?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$"
)
_SECONDS: Final = len("2000-01-01T00:00:00")
_PART: Final = r"^\.(\d+)"
_DIGITS: Final = 6
_NAIVE: Final = np.iinfo(np.int64).min
"""In place of an offset when there is none."""


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts as local times and offsets from UTC; `given` and `bad` say for which there is one, or an error."""

    local: Moments
    offset: Moments
    given: Flags
    bad: Flags


@dataclass(frozen=True, slots=True)
class Recorded:
    """When rows were recorded: in UTC (`NO_TIME` when not given), and the school-local day; 0 when not given."""

    utc: Moments
    day: Ints
    bad: Flags


def recorded(series: pl.Series, zone: Ints, zones: Sequence[ZoneInfo]) -> Recorded:
    """The moments of a column of texts; `zone` is each row's place in `zones`."""
    codes, texts = _different(series)
    read = _read(texts)
    utc, day = np.empty(len(codes), np.int64), np.empty(len(codes), np.int32)
    used = np.flatnonzero(np.bincount(zone, minlength=len(zones)))
    for place in used.tolist():
        moments, days = _localised(read, zones[place])
        rows: Flags | slice = zone == place if len(used) > 1 else slice(None)
        utc[rows], day[rows] = moments[codes[rows]], days[codes[rows]]
    return Recorded(utc, day, read.bad[codes])


def error(text: str | None) -> RowError | None:
    """What is wrong with a `recorded_at`."""
    row = parsed("recorded_at", text)
    return row if isinstance(row, RowError) else None


def _different(series: pl.Series) -> tuple[TextCodes, pl.Series]:
    """The different texts, and each row's place among them; where most differ, all of them as they are."""
    if series.head(_SAMPLE).n_unique() > _SAMPLE // 2:
        return np.arange(len(series), dtype=np.uint32), series
    categories = pl.Categories.random()
    coded = series.cast(pl.Categorical(categories))
    return codes_of(coded), pl.concat([pl.Series([None], dtype=pl.String), categories.to_series().alias("")])


def _read(texts: pl.Series) -> _Texts:
    usual = texts.set(~texts.str.contains(_USUAL), None)
    whole = usual.str.slice(0, _SECONDS).str.replace(" ", "T", literal=True)
    local = whole.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    plain = local.is_not_null()
    moments = local.to_physical().fill_null(0).to_numpy().copy()
    rest = usual.set(~plain, None).str.slice(_SECONDS)
    if rest.str.contains(".", literal=True).any():  # rare, and slow to look for
        part = rest.str.extract(_PART).str.pad_end(_DIGITS, "0").cast(pl.Int64)
        moments += part.fill_null(0).to_numpy()
        rest = rest.str.replace(_PART, "")
    codes, offsets = _different(rest)
    offset = np.array([_offset(text) for text in offsets.to_list()], np.int64)[codes]
    given, bad = plain.to_numpy().copy(), np.zeros(len(texts), np.bool_)
    for place in np.flatnonzero((~plain & texts.is_not_null()).to_numpy()).tolist():
        row = parsed("recorded_at", texts[place])
        if isinstance(row, RowError):
            bad[place] = True
        elif row.recorded_at is not None:
            given[place] = True
            shift = row.recorded_at.utcoffset()
            moments[place] = (row.recorded_at.replace(tzinfo=None) - _EPOCH) // _MICROSECOND
            offset[place] = _NAIVE if shift is None else shift // _MICROSECOND
    return _Texts(moments, offset, given, bad)


def _offset(text: str | None) -> int:
    if not text:
        return _NAIVE
    shift = datetime.fromisoformat(f"2000-01-01T00:00{text}").utcoffset()
    return (shift or timedelta(0)) // _MICROSECOND


def _localised(read: _Texts, zone: ZoneInfo) -> tuple[Moments, Ints]:
    """The moments in UTC, and their dates in the zone; times without an offset stand in it."""
    naive = read.given & (read.offset == _NAIVE)
    utc = read.local - np.where(read.offset == _NAIVE, 0, read.offset)
    utc[naive] -= _shifts(utc[naive], lambda moment: moment.replace(tzinfo=zone))
    day = np.zeros(len(utc), np.int32)
    given = utc[read.given]
    local = given + _shifts(given, lambda moment: moment.replace(tzinfo=UTC).astimezone(zone))
    day[read.given] = local // _DAY + _EPOCH_DAY
    utc[~read.given] = NO_TIME
    return utc, day


def _shifts(moments: Moments, placed: Callable[[datetime], datetime]) -> Moments:
    """The offset from UTC at each of these, asked once a quarter of an hour."""
    quarters, codes = np.unique(moments // _QUARTER, return_inverse=True)
    shifts = [
        (placed(_EPOCH + quarter * _QUARTER * _MICROSECOND).utcoffset() or timedelta(0)) // _MICROSECOND
        for quarter in quarters.tolist()
    ]
    return np.array(shifts, np.int64)[codes]
