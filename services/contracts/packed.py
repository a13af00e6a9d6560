"""A batch of marks as it travels in `attendance.marks.v1`: the marks of a student together, sealed with the feed's key.

A value that begins with `{` is JSON (`marks_record`): closes are. Any other is MessagePack of a `SealedBatch`. Each
student's marks are items of one width a batch, so that what was unsealed of all is read as one array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final, NamedTuple, get_args

import msgspec
import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.marks import (
    AttendanceMark,
    AttendanceStatus,
    DayCounts,
    DaysClosed,
    MarkBatch,
    WeekClosed,
    marks_record,
)
from services.contracts.sealed import UnsealError, binding, new_nonce
from services.contracts.topics import MARKS

STATUSES: Final[tuple[AttendanceStatus, ...]] = get_args(AttendanceStatus)
"""A mark's code is the place of its status here, and these bits."""
_PLACE: Final = {status: place for place, status in enumerate(STATUSES)}
EXCUSED: Final = 8
NOT_EXCUSED: Final = 16
"""Known not to be; without either bit it is unknown."""
HISTORY: Final = 32
NO_MOMENT: Final = -(2**63)
Ordinal = Annotated[int, msgspec.Meta(ge=1, le=date.max.toordinal())]
Heads = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
Width = Annotated[int, msgspec.Meta(ge=1, lt=2**16)]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ENCODED: Final = "utf-8"

CipherOf = Callable[[str], AESGCM | None]
"""The cipher of a student's feed; None when its key is gone."""


class PlainMark(NamedTuple):
    """As `AttendanceMark`, of what was checked before: an import makes one of every row."""

    student: str
    school_id: str
    date: date
    status: AttendanceStatus
    excused: bool | None
    section: str | None
    moment: int
    """`recorded_at` in microseconds since the epoch, or `NO_MOMENT`."""
    reason: str | None
    history: bool

    @classmethod
    def of(cls, mark: AttendanceMark) -> PlainMark:
        """The mark of the contract's model."""
        moment = NO_MOMENT if mark.recorded_at is None else microseconds(mark.recorded_at)
        return cls(
            mark.student,
            mark.school_id,
            mark.date,
            mark.status,
            mark.excused,
            mark.section,
            moment,
            mark.reason,
            mark.history,
        )


class PackedCounts(msgspec.Struct, array_like=True, frozen=True):
    """As `DayCounts`."""

    school_id: str
    day: Ordinal
    absent: Heads
    reported: Heads
    expected: Heads


class SealedBatch(msgspec.Struct, array_like=True, tag="marks.3", frozen=True):
    """As `MarkBatch`, what is said of a student sealed."""

    taken_at: int
    """Microseconds since the epoch."""
    students: list[str]
    """Pseudonyms, each once."""
    nonce: bytes
    """Of every student's marks: their keys are different ones."""
    sealed: list[bytes]
    """Each student's marks, in their order."""
    school_width: Width
    section_width: Width
    reason_width: Width
    """Bytes of the longest name of each: every mark has room for it."""
    counts: list[PackedCounts]
    as_of: int | None = None
    """When marks without a moment were said, in microseconds since the epoch."""


class UnsealedMarks(NamedTuple):
    """Those marks of a batch that could be opened."""

    students: list[str]
    """Whose they are, each once."""
    numbers: list[int]
    """How many are each student's."""
    items: npt.NDArray[np.void]
    """`day` (ordinal), `moment` (`NO_MOMENT` for none), `code`, and `school`, `section`, `reason` in UTF-8."""


encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(SealedBatch).decode
"""Raises `msgspec.DecodeError`."""


def is_packed(value: bytes) -> bool:
    """Whether a value of the topic is a batch of marks."""
    return not value.startswith(b"{")


def pack(
    marks: Sequence[PlainMark], taken_at: datetime, ciphers: Mapping[str, AESGCM], counts: Iterable[DayCounts] = ()
) -> bytes:
    """The value of a record that carries these marks, at least one; `ciphers` are of all their students."""
    by_student: dict[str, list[PlainMark]] = {}
    for mark in marks:
        by_student.setdefault(mark.student, []).append(mark)
    together = [mark for theirs in by_student.values() for mark in theirs]
    names = [
        [(name or "").encode(_ENCODED) for name in column]
        for column in (
            [mark.school_id for mark in together],
            [mark.section for mark in together],
            [mark.reason for mark in together],
        )
    ]
    widths = [max(1, *map(len, column)) for column in names]
    kind = _item(*widths)
    items = np.empty(len(together), kind)
    items["day"] = [mark.date.toordinal() for mark in together]
    items["moment"] = [mark.moment for mark in together]
    items["code"] = [_code(mark) for mark in together]
    for field, column in zip(("school", "section", "reason"), names, strict=True):
        items[field] = column
    plain, nonce, first, sealed = items.tobytes(), new_nonce(), 0, []
    for student, theirs in by_student.items():
        end = first + len(theirs) * kind.itemsize
        sealed.append(ciphers[student].encrypt(nonce, plain[first:end], binding(MARKS.name, student)))
        first = end
    return encode(
        SealedBatch(
            taken_at=microseconds(taken_at),
            students=list(by_student),
            nonce=nonce,
            sealed=sealed,
            school_width=widths[0],
            section_width=widths[1],
            reason_width=widths[2],
            counts=[
                PackedCounts(each.school_id, each.date.toordinal(), each.absent, each.reported, each.expected)
                for each in counts
            ],
        )
    )


def open_marks(batch: SealedBatch, cipher_of: CipherOf) -> tuple[list[str], list[bytes]]:
    """Of each student whose key there is the pseudonym, and the marks one behind the other.

    Raises `UnsealError` (a `ValueError`), and what `cipher_of` raises.
    """
    if len(batch.students) != len(batch.sealed):
        raise UnsealError("not as many sealed marks as students")
    students: list[str] = []
    opened: list[bytes] = []
    try:
        for student, value in zip(batch.students, batch.sealed, strict=True):
            cipher = cipher_of(student)
            if cipher is not None:
                opened.append(cipher.decrypt(batch.nonce, value, binding(MARKS.name, student)))
                students.append(student)
    except InvalidTag as error:
        raise UnsealError("marks do not open with their feed's key") from error
    return students, opened


def unseal_marks(batch: SealedBatch, cipher_of: CipherOf) -> UnsealedMarks:
    """The batch's marks whose keys there are; raises what `open_marks` raises, and `ValueError`."""
    students, opened = open_marks(batch, cipher_of)
    kind = _item(batch.school_width, batch.section_width, batch.reason_width)
    numbers = [len(plain) // kind.itemsize for plain in opened]
    items = np.frombuffer(b"".join(opened), kind)
    if len(items) != sum(numbers):
        raise UnsealError("a mark that is cut short")
    return UnsealedMarks(students, numbers, items)


def read_marks_record(value: bytes, cipher_of: CipherOf) -> MarkBatch | DaysClosed | WeekClosed:
    """Any value of the topic, as the contract's models; raises `ValueError`, and what `cipher_of` raises."""
    if not is_packed(value):
        return marks_record.validate_json(value)
    batch = decode(value)
    return unpack(batch, unseal_marks(batch, cipher_of))


def unpack(batch: SealedBatch, opened: UnsealedMarks) -> MarkBatch:
    """The batch as the contract's model; the marks of a student are together."""
    students = [name for name, of in zip(opened.students, opened.numbers, strict=True) for _ in range(of)]
    marks = [
        AttendanceMark(
            student=student,
            school_id=item["school"].decode(_ENCODED),
            date=date.fromordinal(int(item["day"])),
            status=STATUSES[int(item["code"]) % EXCUSED],
            excused=True if item["code"] & EXCUSED else False if item["code"] & NOT_EXCUSED else None,
            section=item["section"].decode(_ENCODED) or None,
            recorded_at=None if item["moment"] == NO_MOMENT else moment_of(int(item["moment"])),
            reason=item["reason"].decode(_ENCODED) or None,
            history=bool(item["code"] & HISTORY),
        )
        for student, item in zip(students, opened.items, strict=True)
    ]
    counts = [
        DayCounts(
            school_id=each.school_id,
            date=date.fromordinal(each.day),
            absent=each.absent,
            reported=each.reported,
            expected=each.expected,
        )
        for each in batch.counts
    ]
    return MarkBatch(taken_at=moment_of(batch.taken_at), marks=marks, counts=counts)


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(number: int) -> datetime:
    """The moment of so many microseconds since the epoch, UTC."""
    return _EPOCH + timedelta(microseconds=number)


def _code(mark: PlainMark) -> int:
    excused = 0 if mark.excused is None else EXCUSED if mark.excused else NOT_EXCUSED
    return _PLACE[mark.status] | excused | HISTORY * mark.history


@lru_cache(maxsize=256)
def _item(school: int, section: int, reason: int) -> np.dtype[np.void]:
    """One mark, little-endian; a name shorter than the longest ends with zeros, which no name has."""
    return np.dtype(
        [
            ("day", "<u4"),
            ("moment", "<i8"),
            ("code", "u1"),
            ("school", f"S{school}"),
            ("section", f"S{section}"),
            ("reason", f"S{reason}"),
        ]
    )
