"""RFC 4180 records with the physical line at which each starts; a broken one does not take others with it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from services.ingest.formats.base import ReadLog
from services.ingest.formats.inputs import BrokenFileError, Input
from services.ingest.formats.lines import Line, Lines, physical_lines, utf8

MAX_LINE: Final = 128 * 1024
"""The longest physical line, in bytes."""
SEPARATORS: Final = ",\t;|"
_MAX_CONTINUED: Final = 100
"""Lines that one quoted field may run over; a quote that is not closed by then was never meant to be."""

_TOO_LONG: Final = f"expected a line of at most {MAX_LINE} bytes"
_NOT_UTF8: Final = "expected UTF-8; save the file as CSV UTF-8"
_NUL: Final = "expected text without NUL characters"
_QUOTES: Final = "expected quotes in pairs, as RFC 4180 says"


class CsvRecord(NamedTuple):
    """One record. With a `fault` it cannot be used; `column` is the position of the field at fault, from 0."""

    line: int
    fields: list[str]
    fault: str | None = None
    column: int | None = None


def records(source: Input, log: ReadLog, separator: str, header: int) -> Iterator[CsvRecord]:
    """The records from physical line `header` on; blank ones are skipped. Raises `OSError`.

    Where the file breaks off the last record says so.
    """
    lines = Lines(physical_lines(utf8(source.chunks(log)), MAX_LINE))
    line = 1
    try:
        for line, data in lines:  # what comes before the header
            if line >= header:
                lines.give_back([Line(line, data)])
                break
        for record in records_of(lines, separator):
            line = record.line
            yield record
    except BrokenFileError as error:
        yield CsvRecord(line + 1, [], f"{error}; what comes before was read and the rest skipped")


def records_of(lines: Lines, separator: str, width: int | None = None) -> Iterator[CsvRecord]:
    """The records of these lines; blank ones are skipped. `width` is the header's, when it was read before.

    A record is blank when nothing but separators and white space is in it: spreadsheets leave such rows behind.
    """
    for line in lines:
        record = _record(line, lines, separator, width)
        if record is None:
            continue
        if width is None:
            width = len(record.fields)
        elif len(record.fields) > width and not any(map(str.strip, record.fields[width:])):
            del record.fields[width:]
        yield record


def _record(line: Line, lines: Lines, separator: str, width: int | None) -> CsvRecord | None:
    number, data = line
    if data is None:
        return CsvRecord(number, [], _TOO_LONG)
    if b"\0" in data:
        return _faulty(number, data, separator, _NUL, "\0")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _faulty(number, data, separator, _NOT_UTF8, "\N{REPLACEMENT CHARACTER}")
    if '"' in text:
        return _quoted(number, text, lines, separator, width)
    text = text.rstrip("\r\n")
    fields = text.split(separator)
    return CsvRecord(number, fields) if fields[0].strip() or text.replace(separator, "").strip() else None


def _faulty(number: int, data: bytes, separator: str, fault: str, sign: str) -> CsvRecord:
    """The record of a line with bytes that are no text; nothing of it is used but where the fault lies."""
    fields = data.decode(errors="replace").split(separator)
    column = next((position for position, field in enumerate(fields) if sign in field), None)
    return CsvRecord(number, fields, fault, column)


def _quoted(number: int, text: str, lines: Lines, separator: str, width: int | None) -> CsvRecord:
    """A record with quotes, which may go on in the lines that follow.

    When it does not come out right with them, only its first line is at fault: the others are read again.
    """
    taken: list[Line] = []
    try:
        fields = next(csv.reader(_continued(text, lines, taken), delimiter=separator, strict=True))
    except (csv.Error, UnicodeDecodeError):
        lines.give_back(taken)
        return CsvRecord(number, [], _QUOTES)
    if taken and width is not None and len(fields) != width:
        lines.give_back(taken)
        return CsvRecord(number, [], _QUOTES)
    return CsvRecord(number, fields)


def _continued(text: str, lines: Lines, taken: list[Line]) -> Iterator[str]:
    yield text
    for line in islice(lines, _MAX_CONTINUED):
        taken.append(line)
        if line.data is None or b"\0" in line.data:
            return
        yield line.data.decode()
