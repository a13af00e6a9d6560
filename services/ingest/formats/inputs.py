"""The files of an import as streams of bytes: plain, packed by gzip, in a zip archive, or the sheets of a workbook."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook

from services.ingest.formats.base import ReadLog

WORKBOOKS: Final = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})
_CHUNK: Final = 64 * 1024
_ROWS: Final = 1_000
_EXACT: Final = 10**15
"""From here on a spreadsheet has lost digits of a whole number."""
_DAMAGED: Final = "expected a file that can be unpacked to its end: pack or export it again"
_LOCKED: Final = "expected an archive without a password, packed as is usual: pack it again"
_NO_WORKBOOK: Final = "expected a workbook that can be opened, without a password: save it again, or as CSV UTF-8"


class BrokenFileError(Exception):
    """A file, or the rest of it, cannot be read; the message says why, and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Input:
    """One stream of bytes, read from the start each time."""

    name: str
    """As people read it: the file's base name, with the member or sheet inside it."""
    kind: str
    """The name by which its format is recognised, in lower case: of what is packed, with a suffix."""
    size: int
    """By how much reading it once adds to `ReadLog.bytes_read`."""
    chunks: Callable[[ReadLog], Iterator[bytes]]
    """Its bytes, none of the chunks empty. Raises `OSError`, and `BrokenFileError` where it breaks off."""
    plain: Path | None = None
    """The file that has these very bytes, when there is one."""


def inputs_of(path: Path) -> list[Input]:
    """What a file holds: itself, or the members or sheets in it. Raises `BrokenFileError` and `OSError`."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _members(path)
    if suffix in WORKBOOKS:
        return _sheets(path)
    size = path.stat().st_size
    if suffix == ".gz":
        return [Input(path.name, path.stem.lower(), size, partial(_gunzipped, path))]
    return [Input(path.name, path.name.lower(), size, partial(_plain, path), plain=path)]


def _plain(path: Path, log: ReadLog) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            log.bytes_read += len(chunk)
            yield chunk


def _gunzipped(path: Path, log: ReadLog) -> Iterator[bytes]:
    with path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as file:
        before = 0
        with _unpacking():
            while chunk := file.read(_CHUNK):
                now = packed.tell()
                log.bytes_read += now - before
                before = now
                yield chunk
        log.bytes_read += packed.tell() - before


def _members(path: Path) -> list[Input]:
    with _unpacking(), zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
    return [
        Input(
            f"{path.name}/{info.filename}",
            PurePosixPath(info.filename).name.lower(),
            info.file_size,
            partial(_unzipped, path, info.filename),
        )
        for info in files
    ]


def _unzipped(path: Path, member: str, log: ReadLog) -> Iterator[bytes]:
    with _unpacking(), zipfile.ZipFile(path) as archive, archive.open(member) as file:
        while chunk := file.read(_CHUNK):
            log.bytes_read += len(chunk)
            yield chunk


@contextmanager
def _unpacking() -> Iterator[None]:
    """What the libraries raise of a packed file, as one error that says what to do."""
    try:
        yield
    except RuntimeError as error:  # it wants a password, or is packed in a way or version that is not read
        raise BrokenFileError(_LOCKED) from error
    except (EOFError, ValueError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise BrokenFileError(_DAMAGED) from error


def _sheets(path: Path) -> list[Input]:
    """Each sheet as CSV, with a line a row, so that a line's number is the row's."""
    size = path.stat().st_size
    with _workbook(path) as workbook:
        names = workbook.sheet_names
    if len(names) == 1:  # then the file's name says what it holds
        return [Input(path.name, f"{path.stem.lower()}.csv", size, partial(_rows, path, names[0], size))]
    return [
        Input(f"{path.name}/{name}", f"{name.lower()}.csv", size, partial(_rows, path, name, size)) for name in names
    ]


def _rows(path: Path, sheet: str, size: int, log: ReadLog) -> Iterator[bytes]:
    with _workbook(path) as workbook:
        try:
            rows = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        except CalamineError as error:
            raise BrokenFileError(_NO_WORKBOOK) from error
    log.bytes_read += size
    for start in range(0, len(rows), _ROWS):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(map(_texts, rows[start : start + _ROWS]))
        yield text.getvalue().encode()


def _workbook(path: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(path)
    except CalamineError as error:
        raise BrokenFileError(_NO_WORKBOOK) from error


def _texts(cells: Sequence[object]) -> list[str]:
    return [_text(cell) for cell in cells]


def _text(cell: object) -> str:
    """A cell as a CSV file would have it."""
    if isinstance(cell, str):
        return " ".join(cell.splitlines())
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
