"""The report's drawings, each a function from numbers to a matplotlib figure; `figures` puts them on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from models.backtest.bootstrap import Share
from models.backtest.curves import CalibrationPoint, CapacityPoint, Leads
from services.lab.backtest_table import LABELS
from services.lab.report.document import RANKINGS
from services.lab.report.groups import GroupRow
from services.lab.report.svg import COLOURS, figure

INK = COLOURS["ink"]
_DASHES = {
    "ten_percent": (0, (5, 2)),
    "streak_3": (0, (1, 1.5)),
    "rate_to_date": (0, (5, 1, 1, 1)),
    "absences_20": (0, (2, 2)),
}
"""The baselines are thin and dashed; what the product can run is thick, and has markers."""
_MARKERS = {"both": "o", "rules": "s", "model": "^", "score": "^"}
_CALIBRATION_TICKS = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 1)
_TICK_ROOM = 0.09
"""Least distance of two ticks of the calibration, as a part of the axis."""
_WHISKERS = (5, 95)
_LABEL_WIDTH = 20
_PERCENT = FuncFormatter(lambda rate, _: f"{100 * rate:.3g}%")


def by_capacity(points: Sequence[CapacityPoint], capacity: int) -> Figure:
    """Precision above recall against the places a week; the band is the interval of the first ranking's precision."""
    drawn = figure(6.2)
    above, below = drawn.subplots(2, sharex=True)
    for ranking in dict.fromkeys(point.ranking for point in points):
        own = [point for point in points if point.ranking == ranking]
        places = [point.capacity for point in own]
        _line(above, places, [point.precision.rate for point in own], ranking)
        _line(below, places, [point.recall for point in own], ranking)
    first = [point for point in points if point.ranking == points[0].ranking]
    low, high = _ends([point.precision for point in first])
    places = [point.capacity for point in first]
    above.fill_between(places, low, high, color=COLOURS[first[0].ranking], alpha=0.18, linewidth=0)
    for axes, title in ((above, "Precision"), (below, "Recall")):
        axes.axvline(capacity, color=INK, linewidth=1)
        axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
        axes.yaxis.set_major_formatter(_PERCENT)
        axes.set_ylim(bottom=0)
    below.set_xscale("log")
    below.set_xticks(places, [str(place) for place in places])
    below.minorticks_off()
    below.set_xlabel(f"Places a week; the upright line is this team's, {capacity}")
    drawn.legend(*above.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return drawn


def calibration(points: Sequence[CalibrationPoint]) -> Figure:
    """What came true against the mean score, on square-root scales, since nearly all scores are small."""
    drawn = figure(4.4)
    axes = drawn.subplots()
    low, high = _ends([point.observed for point in points])
    scores = [point.score for point in points]
    top = 1.05 * float(np.nanmax([*scores, *_rates([point.observed.rate for point in points]), *high, 1e-3]))
    axes.plot([0, top], [0, top], color=INK, linewidth=1, linestyle=(0, (4, 3)), label="Where they agree")
    axes.vlines(scores, low, high, color=COLOURS["model"])
    _line(axes, scores, [point.observed.rate for point in points], "score", "Bins, with intervals")
    ticks = _apart(top)
    for set_scale, set_ticks in ((axes.set_xscale, axes.set_xticks), (axes.set_yscale, axes.set_yticks)):
        set_scale("function", functions=(np.sqrt, np.square))
        set_ticks(ticks, [f"{100 * tick:g}%" for tick in ticks])
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="Mean score", ylabel="Share that came true")
    drawn.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return drawn


def lead(leads: Sequence[Leads], horizon: int) -> Figure:
    """A box per strategy from the first to the third quartile, a line at the median, whiskers from 5% to 95%."""
    drawn = figure(0.9 + 0.4 * len(leads))
    axes = drawn.subplots()
    names = [f"{LABELS[each.strategy]} ({len(each.days)})" for each in leads]
    boxes = axes.boxplot(
        [each.days for each in leads],
        orientation="horizontal",
        tick_labels=names,
        whis=_WHISKERS,
        showfliers=False,
        widths=0.55,
        medianprops={"linewidth": 2.5},
        patch_artist=True,
    )
    for box, each in zip(boxes["boxes"], leads, strict=True):
        box.set_facecolor(to_rgba(COLOURS[each.strategy], 0.35))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, horizon + 1), xlabel="School days before the identification")
    return drawn


def groups(rows: Sequence[GroupRow]) -> Figure:
    """The false-alert rate of every group value with its interval, the strategies one under the other."""
    strategies = list(dict.fromkeys(name for row in rows for name in row.rates))
    places = _group_places(rows)
    drawn = figure(1.2 + 0.42 * (places[-1] + 1))
    axes = drawn.subplots()
    for at, name in enumerate(strategies):
        shift = 0.26 * (at - (len(strategies) - 1) / 2)
        own = [(place + shift, row.rates[name]) for place, row in zip(places, rows, strict=True) if name in row.rates]
        heights = [height for height, _ in own]
        low, high = _rates([rate["low"] for _, rate in own]), _rates([rate["high"] for _, rate in own])
        axes.hlines(heights, low, high, color=COLOURS[name], linewidth=2)
        rates = _rates([rate["rate"] for _, rate in own])
        axes.plot(rates, heights, _MARKERS.get(name, "D"), color=COLOURS[name], markersize=5, label=LABELS[name])
    for place, row in zip(places, rows, strict=True):
        if place == places[0] or place - 1 not in places:
            axes.text(0, place - 0.62, row.group, fontweight="bold", transform=axes.get_yaxis_transform(), va="center")
    axes.set_yticks(places, [fill(row.value, _LABEL_WIDTH) for row in rows])
    axes.set(ylim=(places[-1] + 0.6, -1.1), xlabel="Alerted, of students who were never identified")
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    drawn.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return drawn


def by_week(weeks: Sequence[date], alerts: Sequence[int], strategy: str, capacity: int) -> Figure:
    """New alerts of each week over the year, with a line at the capacity."""
    drawn = figure(3.2)
    axes = drawn.subplots()
    days = [(week - weeks[0]).days for week in weeks]
    axes.bar(days, alerts, width=5.0, color=COLOURS[strategy], align="edge")
    axes.axhline(capacity, color=INK, linewidth=1.2, linestyle=(0, (5, 2)), label=f"Capacity, {capacity} a week")
    months = [at for at, week in enumerate(weeks) if not at or week.month != weeks[at - 1].month]
    axes.set_xticks([days[at] for at in months], [f"{weeks[at]:%b}" for at in months])
    axes.grid(visible=False, axis="x")
    axes.set(ylabel="New alerts", ylim=(0, 1.15 * max(capacity, *alerts)))
    drawn.legend(*axes.get_legend_handles_labels(), loc="outside lower center")
    return drawn


def _apart(top: float) -> list[float]:
    """The calibration's ticks up to `top` that have room on a square-root scale, higher ones first."""
    ticks: list[float] = []
    for tick in sorted(tick for tick in _CALIBRATION_TICKS if tick <= top)[::-1]:
        if not ticks or math.sqrt(ticks[-1] / top) - math.sqrt(tick / top) > _TICK_ROOM:
            ticks.append(tick)
    return ticks


def _line(axes: Axes, x: Sequence[float], y: Sequence[float | None], name: str, label: str | None = None) -> None:
    thin = name in _DASHES
    axes.plot(
        x,
        _rates(y),
        color=COLOURS[name],
        linewidth=1.3 if thin else 2.2,
        linestyle=_DASHES.get(name, "-"),
        marker=_MARKERS.get(name, ""),
        markersize=5,
        label=label or RANKINGS[name],
    )


def _group_places(rows: Sequence[GroupRow]) -> list[int]:
    """A height for each row, with a free one before each group but the first, for its name."""
    places, place = [], -1
    for at, row in enumerate(rows):
        place += 2 if at and row.group != rows[at - 1].group else 1
        places.append(place)
    return places


def _rates(values: Sequence[float | None]) -> list[float]:
    """The numbers, with a gap where one does not apply."""
    return [np.nan if value is None else value for value in values]


def _ends(shares: Sequence[Share]) -> tuple[list[float], list[float]]:
    return _rates([share.low for share in shares]), _rates([share.high for share in shares])
