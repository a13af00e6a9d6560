"""One student's school year: what was said of each day, and the track of counted days made from it.

The track follows marks and closes at the next look: what changed an earlier day lets it be told anew
from that day on, so the order of arrival changes nothing in the end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from models.attendance import PRESENT, DayMarks, SectionMark, day_code, with_mark
from models.enrollment import FOREVER, Segment, Span, school_on, segments
from models.episodes import add_day
from models.features import inputs_of
from models.rules import Rules
from models.school import School
from models.school_year import first_day, last_day, year_of
from models.track import Day, Scored, Track

NO_YEAR = 1
"""The year of a student of whom nothing dated has come yet: every real one is later."""


class StudentYear:
    """Marks of one school year, where the student was enrolled and consented, and the track."""

    __slots__ = ("_changed", "_scored", "_segments", "_track", "ahead", "consent", "live", "marks", "spans", "year")

    def __init__(self, year: int) -> None:
        self.year = year
        self.marks: dict[int, DayMarks] = {}
        self.live: set[int] = set()
        """Days that were marked live, not in an imported history: levels are decided on them."""
        self.ahead: dict[int, DayMarks] = {}
        """Marks of later school years, kept until one of them begins: a wrong year in a date ends no window."""
        self.spans: tuple[Span, ...] = ()
        self.consent: tuple[int, int] | None = None
        """First and last day in force; None while none is known."""
        self._segments: tuple[Segment, ...] = ()
        self._track: Track | None = None
        self._scored = Scored()
        self._changed: set[int] = set()
        """Days of which something was said since the track was last brought up to date."""

    def set_spans(self, spans: Sequence[Span]) -> None:
        """Take the enrollment spans, replacing earlier ones."""
        self.spans = tuple(sorted(spans))
        self.forget_track()

    def set_consent(self, first: int, last: int | None) -> None:
        """Take the run of days on which consent is in force."""
        self.consent = (first, FOREVER if last is None else last)
        self.forget_track()

    def start_anew(self, year: int) -> None:
        """Begin another school year: the days of the last one are dropped."""
        self.year = year
        self.marks = {day: marks for day, marks in self.ahead.items() if year_of(day) == year}
        self.ahead = {day: marks for day, marks in self.ahead.items() if year_of(day) > year}
        self.live = {day for day in self.live if day in self.marks or day in self.ahead}
        self.forget_track()

    def forget_days(self) -> None:
        """Drop every mark and the consent."""
        self.marks, self.ahead, self.live = {}, {}, set()
        self.consent, self._scored = None, Scored()
        self.forget_track()

    def forget_track(self) -> None:
        """Let the track be made anew at the next look."""
        self._track = None
        self._changed.clear()
        if self.consent is None:
            self._segments = ()
        else:
            first, last = self.consent
            self._segments = segments(self.spans, max(first, first_day(self.year)), min(last, last_day(self.year)))

    def school_on(self, day: int) -> str | None:
        """The school at which the day counts, or None (not enrolled, no consent)."""
        return school_on(self._segments, day)

    def first_school(self) -> str | None:
        """The school of the first day that can count; None when there is none."""
        return self._segments[0].school if self._segments else None

    def take_mark(self, day: int, mark: SectionMark, *, live: bool) -> bool:
        """Take a row of this school year or a later one; False when it told nothing new."""
        kept = self.marks if year_of(day) == self.year else self.ahead
        old = kept.get(day)
        new = with_mark(old, mark) if old else (mark,)
        newly_live = live and day not in self.live
        if new is old and not newly_live:
            return False
        kept[day] = new
        if newly_live:
            self.live.add(day)
        if kept is self.marks:
            self.look_again(day)
        return True

    def look_again(self, day: int) -> None:
        """Something may have changed about this day."""
        if self._track is not None:
            self._changed.add(day)

    def decide_again(self, first: int) -> bool:
        """Other thresholds hold from this day on; True when there are levels to be decided anew."""
        track = self._track
        if track is None or not track.ordinals or track.ordinals[-1] < first:
            return False
        track.undecide(bisect_left(track.ordinals, first))
        return True

    def has_decided(self, day: int) -> bool:
        """Whether the day is the last one counted and decides levels already: its close tells nothing new."""
        track = self._track
        if track is None or not track.ordinals or day in self._changed:
            return False
        return track.ordinals[-1] == day and track.is_step(len(track.ordinals) - 1)

    def scored(self) -> Scored:
        """The scores so far, to be kept."""
        track = self._track
        if track is None:
            return self._scored
        return Scored(track.checksum(len(track.own)), track.own.tobytes(), track.logits.tobytes())

    def keep_scores(self, scored: Scored) -> None:
        """Scores that `scored` gave once: they hold for as long as the days are the same."""
        self._scored = scored

    def brought_up(self, schools: Mapping[str, School], rules: Rules, *, scored: bool) -> Track:
        """The track with every day that counts now; those that are new to it wait for their scores and levels."""
        track = self._track
        if track is None:
            track = self._track = Track()
            self._add(track, self._all_days(schools), schools, rules, scored=scored)
            if scored:
                track.recall(self._scored)
        elif self._changed:
            self._tell_anew(track, schools, rules, scored=scored)
        self._changed.clear()
        return track

    def _tell_anew(self, track: Track, schools: Mapping[str, School], rules: Rules, *, scored: bool) -> None:
        last = track.ordinals[-1] if track.ordinals else 0
        told = {day: self._day(day, schools) for day in self._changed}
        wrong = [
            day
            for day, now in told.items()
            if day <= last and not (track.lacks(day) if now is None else track.stands(now))
        ]
        later = {day for day, now in told.items() if day > last and now is not None}
        if wrong:
            cut = bisect_left(track.ordinals, min(wrong))
            later |= {*track.ordinals[cut:], *wrong}
            track.cut(cut)
        self._add(track, sorted(later), schools, rules, scored=scored)

    def _add(
        self, track: Track, days: Iterable[int], schools: Mapping[str, School], rules: Rules, *, scored: bool
    ) -> None:
        for day in days:
            told = self._day(day, schools)
            if told is not None:
                add_day(track, told, rules)
                if scored:
                    track.waiting.append(inputs_of(track))

    def _day(self, day: int, schools: Mapping[str, School]) -> Day | None:
        """The day as it counts now, or None when it does not."""
        school_id = school_on(self._segments, day)
        school = schools.get(school_id) if school_id is not None else None
        if school_id is None or school is None:
            return None
        marks = self.marks.get(day)
        code = day_code(marks, school_id) if marks else None
        if code is None:
            if day not in school.closed:
                return None
            code = PRESENT
        if not school.is_instructional(day):
            return None
        return Day(day, school_id, code, day in school.shocks, school.is_step(day) or day in self.live)

    def _all_days(self, schools: Mapping[str, School]) -> list[int]:
        days: set[int] = set()
        for segment in self._segments:
            school = schools.get(segment.school)
            if school is not None:
                days.update(school.counted_between(segment.first, segment.last))
                days.update(d for d in self.marks if segment.first <= d <= segment.last)
        return sorted(days)
