"""What to say of a student's alerts: the difference between what was said and what now stands."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from models.engine.episodes import Episode, Hit, Turn
from models.policy import LEVEL_NAMES, NONE
from services.contracts.alerts import AlertEvent, AlertEventType, Level, Reason
from services.contracts.ids import Pseudonym, alert_id, event_id

Because = Literal["attendance", "correction", "not_shared"]

NOT_SHARED: Final = "not_shared"
"""The rule of the reason with which an alert is cleared of a student who is where nothing is shared any more."""
_KEPT: Final = {"household", "school_id", "level", "raised_on", "changed_on", "reasons"}
_DICTIONARY: Final = Path(__file__).with_name("last_event.dict").read_bytes()
"""What events have in common. It must never change: what was deflated with it is stored. It makes a quarter of them."""


class EmittedAlert(msgspec.Struct, array_like=True):
    """An alert as it was last emitted. `turns` are (ordinal, level, fingerprint of the reasons)."""

    id: str
    seq: int
    turns: list[tuple[int, int, int]]
    ended: int | None
    withdrawn: bool
    last: bytes
    """Of the last event what is not known otherwise, as JSON, deflated: a withdrawal repeats what it withdraws."""

    @property
    def raised(self) -> int:
        """The day on which it was raised."""
        return self.turns[0][0]


class Subject(msgspec.Struct, frozen=True):
    """Whom and where the events are about, and when ingest took what caused them."""

    student: Pseudonym
    household: str | None
    school_id: str
    caused_at: datetime
    agency: str | None = None
    unshared: bool = False
    """Days of the student are not shared: what vanishes may have been taken out of the scope, not corrected."""


def emit(emitted: list[EmittedAlert], now: Sequence[Episode], subject: Subject) -> list[AlertEvent]:
    """The events that bring `emitted` (changed in place) to the episodes that stand now.

    An episode is the same alert when its id, made of the day of the raise, was emitted before, else when
    it overlaps one that was: a correction amends an alert rather than making another.
    """
    events: list[AlertEvent] = []
    matches = _match(emitted, now, subject.student)
    for old in emitted:
        if old.id not in {match.id for match, _ in matches if match is not None} and not old.withdrawn:
            old.withdrawn = True
            gone: Because = "not_shared" if subject.unshared else "correction"
            events.append(_again(old, "AlertWithdrawn", gone, subject))
    for old_or_none, episode in matches:
        if old_or_none is None:
            new, said = _raise(episode, subject)
            emitted.append(new)
            events.extend(said)
        else:
            events.extend(_amend(old_or_none, episode, subject))
    return events


def emitted_level(emitted: Sequence[EmittedAlert]) -> int:
    """The level of the student's open alert as it was last emitted; 0 without one."""
    return max((old.turns[-1][1] for old in emitted if not old.withdrawn and old.ended is None), default=NONE)


def close_year(emitted: Sequence[EmittedAlert], day: int, subject: Subject) -> list[AlertEvent]:
    """Clear every open alert at the start of another school year."""
    open_alerts = [old for old in emitted if not old.withdrawn and old.ended is None]
    return [
        _again(old, "AlertCleared", "attendance", subject).model_copy(update={"changed_on": date.fromordinal(day)})
        for old in open_alerts
    ]


def _match(
    emitted: Sequence[EmittedAlert], now: Sequence[Episode], student: Pseudonym
) -> list[tuple[EmittedAlert | None, Episode]]:
    by_id = {old.id: old for old in emitted}
    ids = [_identity(episode, student) for episode in now]
    free = [old for old in emitted if old.id not in ids and not old.withdrawn]
    result: list[tuple[EmittedAlert | None, Episode]] = []
    for identity, episode in zip(ids, now, strict=True):
        if identity in by_id:
            result.append((by_id[identity], episode))
            continue
        overlapping = next((old for old in free if _overlap(old, episode)), None)
        if overlapping is not None:
            free.remove(overlapping)
        result.append((overlapping, episode))
    return result


def _identity(episode: Episode, student: Pseudonym) -> str:
    return alert_id(student, date.fromordinal(episode.raised)).hex


def _overlap(old: EmittedAlert, episode: Episode) -> bool:
    return (old.ended is None or episode.raised < old.ended) and (episode.ended is None or old.raised < episode.ended)


def _fingerprint(hits: Sequence[Hit]) -> int:
    return zlib.crc32(repr(hits).encode())


def _trace(turns: Sequence[Turn]) -> list[tuple[int, int, int]]:
    return [(turn.ordinal, turn.level, _fingerprint(turn.hits)) for turn in turns]


def _raise(episode: Episode, subject: Subject) -> tuple[EmittedAlert, list[AlertEvent]]:
    first = _trace(episode.turns[:1])
    new = EmittedAlert(_identity(episode, subject.student), 0, first, None, False, b"")
    events = [_say(new, "AlertRaised", episode, episode.turns[0], None, "attendance", subject)]
    return new, _superseding([*events, *_follow(new, episode, 1, subject)])


def _amend(old: EmittedAlert, episode: Episode, subject: Subject) -> list[AlertEvent]:
    trace = _trace(episode.turns)
    if old.withdrawn:
        old.withdrawn, old.turns, old.ended = False, trace, episode.ended
        event = _say(old, "AlertRaised", episode, episode.turns[-1], None, "correction", subject)
        return [event] if episode.ended is None else _superseding([event, _end(old, episode, subject)])
    if (trace, episode.ended) == (old.turns, old.ended):
        return []
    if old.ended is None and trace[: len(old.turns)] == old.turns:
        return _superseding(_follow(old, episode, len(old.turns), subject))
    return _correct(old, episode, trace, subject)


def _follow(old: EmittedAlert, episode: Episode, known: int, subject: Subject) -> list[AlertEvent]:
    """The turns after those known, and the end."""
    events: list[AlertEvent] = []
    for before, turn in zip(episode.turns[known - 1 :], episode.turns[known:], strict=False):
        old.turns.extend(_trace([turn]))
        events.append(_say(old, "AlertLevelChanged", episode, turn, before.level, "attendance", subject))
    if episode.ended is not None:
        events.append(_end(old, episode, subject))
    return events


def _correct(
    old: EmittedAlert, episode: Episode, trace: list[tuple[int, int, int]], subject: Subject
) -> list[AlertEvent]:
    was_level, was_open = old.turns[-1][1], old.ended is None
    old.turns, old.ended = trace, episode.ended
    turn = episode.turns[-1]
    if episode.ended is not None:
        return [_end(old, episode, subject, "correction")]
    kind: AlertEventType = "AlertAmended" if was_open and turn.level == was_level else "AlertLevelChanged"
    return [_say(old, kind, episode, turn, was_level, "correction", subject)]


def _end(old: EmittedAlert, episode: Episode, subject: Subject, because: Because = "attendance") -> AlertEvent:
    old.ended = episode.ended
    assert episode.ended is not None
    because, turn, day = "not_shared" if episode.left else because, episode.turns[-1], date.fromordinal(episode.ended)
    event = _say(old, "AlertCleared", episode, turn, turn.level, because, subject)
    cleared = event.model_copy(update={"changed_on": day})
    if episode.left:
        cleared = cleared.model_copy(update={"reasons": [_left(event.level, day), *event.reasons]})
    old.last = _kept(cleared)
    return cleared


def _say(
    old: EmittedAlert,
    kind: AlertEventType,
    episode: Episode,
    turn: Turn,
    previous: int | None,
    because: Because,
    subject: Subject,
) -> AlertEvent:
    old.seq += 1
    identity, changed_on = UUID(old.id), date.fromordinal(turn.ordinal)
    event = AlertEvent(
        type=kind,
        event_id=event_id(identity, old.seq, kind, changed_on),
        alert_id=identity,
        seq=old.seq,
        student=subject.student,
        household=subject.household,
        agency=subject.agency,
        school_id=subject.school_id,
        level=LEVEL_NAMES[turn.level - 1],
        previous_level=LEVEL_NAMES[previous - 1] if previous else None,
        raised_on=date.fromordinal(episode.raised),
        changed_on=changed_on,
        reasons=[_reason(hit) for hit in turn.hits],
        because=because,
        caused_at=subject.caused_at,
    )
    old.last = _kept(event)
    return event


def _again(old: EmittedAlert, kind: AlertEventType, because: Because, subject: Subject) -> AlertEvent:
    """The last event once more, as an end of another kind."""
    old.seq += 1
    last, identity = _unpacked(old.last), UUID(old.id)
    event = AlertEvent.model_validate(
        {
            **last,
            "type": kind,
            "seq": old.seq,
            "event_id": event_id(identity, old.seq, kind, date.fromisoformat(last["changed_on"])),
            "alert_id": identity,
            "student": subject.student,
            "agency": subject.agency,
            "because": because,
            "previous_level": last["level"],
            "superseded": False,
            "caused_at": subject.caused_at,
        }
    )
    old.last = _kept(event)
    return event


def _kept(event: AlertEvent) -> bytes:
    packer = zlib.compressobj(zdict=_DICTIONARY)
    return packer.compress(event.model_dump_json(include=_KEPT, exclude_defaults=True).encode()) + packer.flush()


def _unpacked(last: bytes) -> dict[str, Any]:
    """What was kept."""
    found: dict[str, Any] = json.loads(zlib.decompressobj(zdict=_DICTIONARY).decompress(last))
    return found


def _superseding(events: list[AlertEvent]) -> list[AlertEvent]:
    """Mark all but the last as already passed."""
    return [event.model_copy(update={"superseded": True}) for event in events[:-1]] + events[-1:]


def _left(level: Level, day: date) -> Reason:
    """Why an alert is cleared of a student who is where nothing is shared any more; not where."""
    return Reason(
        rule=NOT_SHARED,
        kind="change of school",
        level=level,
        text=f"Since {day.day} {day:%b} at a school whose attendance is not shared: cleared, for nothing more is seen.",
        dates=[day],
        clears="Nothing: it is cleared.",
    )


def _reason(hit: Hit) -> Reason:
    return Reason(
        rule=hit.rule,
        kind=hit.kind,
        level=LEVEL_NAMES[hit.level - 1],
        text=hit.text,
        dates=[date.fromordinal(day) for day in hit.dates],
        usual=hit.usual,
        clears=hit.clears,
    )
