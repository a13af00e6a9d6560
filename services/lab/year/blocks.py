"""A large CSV file in blocks of whole records, read as ingest reads it record by record, but fast."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import numpy as np
import polars as pl

from models.arrays import Codes as Bytes
from models.arrays import Flags, Ints, Places
from services.ingest.formats.base import ReadLog
from services.ingest.formats.csv_records import MAX_LINE, CsvRecord, records_of
from services.ingest.formats.csv_table import CsvReader
from services.ingest.formats.inputs import BrokenFileError, Input
from services.ingest.formats.lines import BOM, Line, Lines, encoding_of, utf8

_BLOCK: Final = 16 * 1024 * 1024
_NEWLINE: Final = ord("\n")
_HEAD: Final = 1024
_LONE_CR: Final = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Some records: their columns by position ("0", "1", ...), and the line at which each starts."""

    columns: pl.DataFrame
    lines: Ints
    faulty: list[CsvRecord]
    """Records that cannot be used; those without a `fault` have another width than the header."""
    end: int
    """Bytes of the file read so far."""


@dataclass(slots=True)
class _Physical:
    """The file's lines from an offset on; notes where each began."""

    data: mmap.mmap | bytes
    offset: int
    number: int
    starts: dict[int, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Line]:
        offset = self.offset
        for number in count(self.number):
            if offset >= len(self.data):
                return
            self.starts[number] = offset
            end = self.data.find(b"\n", offset) + 1 or len(self.data)
            yield Line(number, self.data[offset:end] if end - offset < MAX_LINE else None)
            offset = end

    def record(self, separator: str, width: int | None) -> tuple[CsvRecord | None, int, int]:
        """The first record, and the offset and number of the line after it; None when nothing is left."""
        lines = Lines(iter(self))
        record = next(records_of(lines, separator, width), None)
        after = next(iter(lines), None)
        if after is None:
            return record, len(self.data), self.number + len(self.starts)
        return record, self.starts[after.number], after.number


class Blocks:
    """The blocks of one file, which stays open until `close`."""

    def __init__(self, reader: CsvReader[object], types: Mapping[str, pl.DataType], log: ReadLog) -> None:
        """`types` are those of the columns to read, by header; the others are skipped. Raises `OSError`."""
        source, layout = reader.source, reader.layout
        self.broken: str | None = None
        """Why the file breaks off, when it does."""
        self.lines = 1
        """The line at which the last block begins."""
        self._data = _mapped(source) or self._text(source, log)
        start = len(BOM) if self._data[: len(BOM)] == BOM else 0
        for line in _Physical(self._data, start, 1):
            if line.number >= layout.line:
                break
            start += len(line.data or b"")
        first = _Physical(self._data, start, layout.line)
        _, self._offset, self._number = first.record(layout.separator, None)
        self._separator = layout.separator
        self.size = len(self._data)
        self._width = len(layout.header)
        self._read = [place for place, name in enumerate(layout.header) if name in types]
        self._schema = {str(place): types.get(name, pl.String()) for place, name in enumerate(layout.header)}
        sign = re.escape(layout.separator)
        field = rf'(?:[^"{sign}\r\x00\x{{FFFD}}]*|"(?:[^"\r\x00\x{{FFFD}}]|"")*")'  # the same to every reader of CSV
        self._whole = rf"^{field}(?:{sign}{field}){{{self._width - 1}}}\r?$"
        self._blank = rf"^(?:\s|{sign})*$"

    def _text(self, source: Input, log: ReadLog) -> bytes:
        parts: list[bytes] = []
        try:
            parts.extend(utf8(source.chunks(log)))
        except BrokenFileError as error:
            self.broken = f"{error}; what comes before was read and the rest skipped"
        text = b"".join(parts)
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if _LONE_CR.search(text) else text

    def close(self) -> None:
        """Let go of the file."""
        if isinstance(self._data, mmap.mmap):
            self._data.close()

    def __iter__(self) -> Iterator[TableBlock]:
        offset, number = self._offset, self._number
        while offset < self.size:
            self.lines = number
            data = self._cut(offset)
            block = self._clean(data, offset, number)
            if block is None:
                block, offset, number = self._mended(data, offset, number)
            else:
                offset, number = block.end, number + len(block.lines)
            yield block

    def _cut(self, offset: int) -> bytes:
        end = self._data.rfind(b"\n", offset, offset + _BLOCK) + 1 or self._data.find(b"\n", offset) + 1
        return self._data[offset : end or self.size] if offset + _BLOCK < self.size else self._data[offset:]

    def _clean(self, data: bytes, offset: int, number: int) -> TableBlock | None:
        """The block read at once; None when any line of it needs a closer look."""
        if b'"' in data or b"\0" in data:
            return None
        text = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(text == _NEWLINE)
        if not data.endswith(b"\n"):
            ends = np.append(ends, len(text))
        starts = np.append(0, ends[:-1] + 1)
        commas = (text == ord(self._separator)).view(np.uint8)
        each = np.add.reduceat(commas, starts, dtype=np.uint8)  # modulo 256, which the sum below makes good
        wanted = self._width - 1
        if (each != wanted % 256).any() or np.count_nonzero(commas) != wanted * len(ends):
            return None
        if (ends - starts).max() + 1 >= MAX_LINE or self._has_blank(data, text, starts, ends):
            return None
        try:
            columns = self._parse(data, None)
        except pl.exceptions.ComputeError:  # not UTF-8: a closer look finds the line
            return None
        lines = np.arange(number, number + len(ends), dtype=np.int32)
        return TableBlock(columns, lines, [], offset + len(data)) if columns.height == len(ends) else None

    def _has_blank(self, data: bytes, text: Bytes, starts: Places, ends: Places) -> bool:
        """Whether a line holds nothing but separators and white space."""
        signs = f" \t\r{self._separator}".encode()
        empty = np.flatnonzero(np.isin(text[starts], np.frombuffer(signs, np.uint8)))
        return any(not data[starts[place] : ends[place]].strip(signs) for place in empty.tolist())

    def _mended(self, data: bytes, offset: int, number: int) -> tuple[TableBlock, int, int]:
        """The block with each line that is not plain read by ingest's own reader; also where the next one begins."""
        texts = pl.Series([data.decode(errors="replace").removesuffix("\n")]).str.split("\n").explode()
        whole = texts.str.contains(self._whole) & ~texts.str.contains(self._blank)
        plain = (whole & (texts.str.len_bytes() + 1 < MAX_LINE)).to_numpy().copy()
        starts = np.append(0, np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1)
        found: list[CsvRecord] = []
        end, after = offset + len(data), number + len(plain)
        taken = 0
        for place in np.flatnonzero(~plain).tolist():
            if place < taken:
                continue
            line = _Physical(self._data, offset + int(starts[place]), number + place)
            record, next_offset, next_number = line.record(self._separator, self._width)
            if record is None or record.line != number + place:
                continue  # a blank line
            found.append(record)
            taken = next_number - number
            plain[place:taken] = False
            if taken > len(plain):
                end, after = next_offset, next_number
        return self._together(texts.filter(pl.Series(plain)), plain, number, found, end), end, after

    def _together(self, texts: pl.Series, plain: Flags, number: int, found: list[CsvRecord], end: int) -> TableBlock:
        usable = [record for record in found if record.fault is None and len(record.fields) == self._width]
        faulty = [record for record in found if record.fault is not None or len(record.fields) != self._width]
        odd = pl.DataFrame(
            {str(place): [record.fields[place] for record in usable] for place in self._read},
            schema={str(place): pl.String for place in self._read},
        ).cast({str(place): self._schema[str(place)] for place in self._read})
        parts = [odd]
        if len(texts):
            parts.insert(0, self._parse(texts.str.join("\n").item().encode(), '"'))
        lines = np.append(np.flatnonzero(plain) + number, [record.line for record in usable]).astype(np.int32)
        return TableBlock(pl.concat(parts), lines, faulty, end)

    def _parse(self, data: bytes, quote: str | None) -> pl.DataFrame:
        return pl.read_csv(
            data,
            has_header=False,
            schema=self._schema,
            columns=self._read,
            quote_char=quote,
            separator=self._separator,
        )


def _mapped(source: Input) -> mmap.mmap | None:
    """The file as it lies on the disk, when that is UTF-8 whose lines end in LF; None else, also when it is empty."""
    if source.plain is None or not source.size:
        return None
    with source.plain.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if encoding_of(data[:_HEAD]) is None and not _LONE_CR.search(data):
        return data
    data.close()
    return None
