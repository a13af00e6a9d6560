"""Columns of attendance.csv as numbers: each different text is parsed once, by ingest's own reading of a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.arrays import Ints
from services.ingest.rows.parse import MarkRow, RowError, parse_mark

TextCodes = npt.NDArray[np.uint32]

_LAST: Final = np.iinfo(np.uint32).max
BAD: Final = -1
"""A text that cannot be used."""

_SOUND: Final = {"student_id": "1", "school_id": "1", "date": "2000-01-01", "status": "present"}


def parsed(field: str, text: str | None) -> MarkRow | RowError:
    """A row that is sound but for this field."""
    return parse_mark({**_SOUND, field: text})


class Column:
    """One column's texts and the numbers for which they stand."""

    def __init__(self, field: str, number: Callable[[MarkRow], int]) -> None:
        self.field = field
        self._number = number
        self._categories = pl.Categories.random()
        self._anchor = pl.Series([], dtype=self.type)  # polars forgets categories that no series has
        self._numbers = np.empty(0, np.int32)
        self._errors: dict[int, RowError] = {}
        self._extend([None])

    @property
    def type(self) -> pl.Categorical:
        """The type as which to read the column."""
        return pl.Categorical(self._categories)

    def numbers(self, series: pl.Series) -> Ints:
        """The number of each text; `BAD` for those that cannot be used."""
        codes = codes_of(series)
        known = len(self._numbers) - 1
        if codes.max(initial=0) > known:
            self._extend(self._categories.to_series()[known:].to_list())
        return self._numbers[codes]

    def errors(self, series: pl.Series) -> list[RowError | None]:
        """What is wrong with each text."""
        return [self._errors.get(code) for code in codes_of(series).tolist()]

    def _extend(self, texts: list[str | None]) -> None:
        new = np.empty(len(texts), np.int32)
        for place, text in enumerate(texts):
            row = parsed(self.field, text)
            if isinstance(row, RowError):
                self._errors[len(self._numbers) + place] = row
                new[place] = BAD
            else:
                new[place] = self._number(row)
        self._numbers = np.concatenate([self._numbers, new])


def codes_of(series: pl.Series) -> TextCodes:
    """Places in the series' categories, counted from 1; 0 where nothing is given."""
    codes = series.to_physical()
    if codes.null_count() == len(codes):
        return np.zeros(len(codes), np.uint32)
    filled = codes.fill_null(_LAST) if codes.null_count() else codes
    return filled.to_numpy() + np.uint32(1)  # the last of all numbers becomes 0


class Places:
    """Texts by the place at which they were first met."""

    def __init__(self, *first: str) -> None:
        self._places = {text: place for place, text in enumerate(first)}

    def of(self, text: str | None) -> int:
        """The text's place; nothing and the empty text are one."""
        return self._places.setdefault(text or "", len(self._places))

    def texts(self) -> list[str]:
        """The texts by place."""
        return list(self._places)
