"""Suspensions of the school year to date."""

from __future__ import annotations

from datetime import date

from models.engagement.facts import SuspensionsOnFile
from models.engagement.policy import BehaviourThresholds
from models.engagement.standing import JudgedPart, TargetArea, plain_date, year_begins


def judge(on_file: SuspensionsOnFile, policy: BehaviourThresholds, as_of: date) -> JudgedPart:
    """Off track with any; nothing when the district never handed suspensions in."""
    begins = year_begins(as_of)
    known = [one.began_on for one in on_file.suspensions if one.known_from <= as_of]
    dates = sorted(day for day in known if begins <= day <= as_of)
    if not dates:
        return JudgedPart("on_track" if on_file.handed_in else None)
    times = "once" if len(dates) == 1 else f"{len(dates)} times"
    text = f"{policy.text.format(times=times, last=plain_date(dates[-1]))} {policy.clears}"
    return JudgedPart("off_track", (TargetArea("behaviour", text, tuple(dict.fromkeys(dates))),))
