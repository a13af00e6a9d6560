"""What an import came to, for people: a table of the files, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from services.ingest.imports.hints import not_consented
from services.ingest.imports.report import Report, Wrong
from services.platform.sharing import ATTENDANCE

SHOWN: Final = 20
_NUMBER: Final = 9
"""The least width of a column of numbers."""


def describe(report: Report, *, dry_run: bool) -> Sequence[str]:
    """The report for people."""
    lines = ["Nothing was sent. By themselves the files hold:" if dry_run else "Rows by file:"]
    lines += table(report.kinds() or {ATTENDANCE: report.mark_counts()})
    lines += _taken_back(report)
    if report.not_consented:
        lines.append(not_consented(ATTENDANCE, report.not_consented))
    if report.rejections:
        lines.append(f"Rejected ({len(report.rejections):,}):")
        worst = report.rejections.worst()
        lines += [_told(*one) for one in worst[:SHOWN]]
        if len(worst) > SHOWN:
            lines.append(f"  … and {len(worst) - SHOWN:,} more kinds; --json lists each row.")
    lines += [f"Not read: {one.file}: {one.reason}. {one.hint}" for one in report.not_read]
    lines += [f"Note: {warning}" for warning in report.all_warnings()]
    return lines


def table(kinds: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """A line each, with what became of its rows; a number that is none of a file's is left out."""
    columns = list(dict.fromkeys(name for counts in kinds.values() for name in counts))
    widths = [max(_NUMBER, len(name)) for name in columns]
    first = max(map(len, kinds))
    titles = (f"{name.replace('_', ' '):>{width}}" for name, width in zip(columns, widths, strict=True))
    yield "  ".join((f"  {'':<{first}}", *titles))
    for name, counts in kinds.items():
        cells = (_cell(counts.get(column), width) for column, width in zip(columns, widths, strict=True))
        yield "  ".join((f"  {name.replace('_', ' '):<{first}}", *cells)).rstrip()


def _cell(number: int | None, width: int) -> str:
    return " " * width if number is None else f"{number:>{width},}"


def _taken_back(report: Report) -> Iterator[str]:
    """What a snapshot took back, of how much; and where it would have been too much."""
    given = {"marks": report.taken_back, **{f"rows of {name}": back for name, back in report.records_back.items()}}
    for what, back in given.items():
        if back is not None and back.refused:
            yield (
                f"Nothing was taken back of {what}: it would be {back.marks:,} of {back.standing:,} "
                f"({back.marks / back.standing:.0%}), as many as a cut file would lack. Look at the files; if they are "
                "whole, run it again with --yes."
            )
        elif back is not None and back.marks:
            yield f"Taken back: {back.marks:,} of the {back.standing:,} {what} that stood."


def _told(wrong: Wrong, number: int, lines: Sequence[int]) -> str:
    """`attendance.csv:3: status: expected …`, and where else the same is wrong."""
    first, *more = lines
    also = f" ({number:,} rows; also in lines {', '.join(map(str, more))}{' …' if number > len(lines) else ''})"
    return f"  {wrong.file}:{first}: {wrong.reason}{also if more else ''}"
