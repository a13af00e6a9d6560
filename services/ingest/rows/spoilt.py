"""Student ids that a spreadsheet has spoilt: they match nobody, but would with leading zeros, or without `.0`. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator


class SpoiltIds:
    """Compares the ids of each file with those of the others, while they are read."""

    def __init__(self) -> None:
        self._forms: defaultdict[str, set[str]] = defaultdict(set)
        """By bare number: the ids as the files of students, consents and enrollments have them."""
        self._unknown: Counter[str] = Counter()
        self._spoilt: Counter[str] = Counter()

    def know(self, student_id: str) -> None:
        """An id of a file that says who there is."""
        bare = _bare(student_id)
        if bare is not None:
            self._forms[bare].add(student_id)

    def miss(self, file: str, student_id: str) -> None:
        """A row of attendance whose student nobody knows."""
        self._unknown[file] += 1
        bare = _bare(student_id)
        if bare is not None and self._forms.get(bare, {student_id}) - {student_id}:
            self._spoilt[file] += 1

    def warnings(self) -> Iterator[str]:
        """A hint for each file in which most ids that match nobody are spoilt."""
        for file, number in sorted(self._unknown.items()):
            if 2 * self._spoilt[file] > number:
                yield (
                    f"{file}: {self._spoilt[file]:,} of {number:,} rows of unknown students match one but for leading "
                    "zeros or a .0 behind: a spreadsheet did that. Make the column text, and export it again."
                )


def _bare(student_id: str) -> str | None:
    """The number that an id is, without what spreadsheets change."""
    text = student_id.removesuffix(".0")
    return text.lstrip("0") or "0" if text.isdecimal() else None
