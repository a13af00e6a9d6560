"""The report's figures: a drawing, what it shows in a sentence, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from models.backtest.bootstrap import Share
from models.backtest.evidence import HORIZON_DAYS
from models.backtest.groups import SMALL_CELL, FalseAlertRate
from models.backtest.lead import Quartiles
from models.backtest.measures import Measures
from services.lab.backtest_table import LABELS
from services.lab.report import plots
from services.lab.report.document import RANKINGS, Document
from services.lab.report.evidence import ReportEvidence
from services.lab.report.groups import GroupRow, group_rows
from services.lab.report.numbers import DOES_NOT_APPLY, decimal, percent, percent_between
from services.lab.report.svg import drawing, to_svg
from services.platform.page.elements import Element, more, paragraph, section, table, tag


def figures(document: Document, evidence: ReportEvidence) -> list[Element]:
    """The five figures, each a section of the page."""
    return [
        _by_capacity(document, evidence),
        _calibration(evidence),
        _lead(document, evidence),
        _groups(document),
        _by_week(document, evidence),
    ]


def _figure(name: str, title: str, caption: str, numbers: Element, draw: Callable[[], Figure]) -> Element:
    """The section of one figure; `draw` is called within the report's style."""
    with drawing(name):
        svg = to_svg(draw(), name, title, caption)
    shown = tag("figure", svg, tag("figcaption", caption), more("The numbers as a table", numbers))
    return section(f"{name}-section", title, shown)


def _nothing(name: str, title: str, why: str) -> Element:
    return section(f"{name}-section", title, paragraph(why))


def _by_capacity(document: Document, evidence: ReportEvidence) -> Element:
    name, title = "by-capacity", "Precision and recall by capacity"
    points = sorted(evidence.curves.capacity, key=lambda point: point.ranking != "score")
    if not points:
        return _nothing(name, title, "Does not apply: nobody was ranked.")
    caption = (
        "Precision: the share of students placed on the list who were identified within 30 school days. Recall: the "
        "share of identifications that a place on the list came before. A longer list finds more families, and more "
        f"calls reach somebody else. The shaded band is the 90% interval of: {RANKINGS[points[0].ranking]}."
    )
    rows = [
        (RANKINGS[each.ranking], decimal(each.capacity), _share(each.precision), percent(each.recall))
        for each in points
    ]
    head = ("Ranking", "Places a week", "Precision (90% interval)", "Recall")
    return _figure(name, title, caption, table(title, head, rows), lambda: plots.by_capacity(points, document.capacity))


def _calibration(evidence: ReportEvidence) -> Element:
    name, title = "calibration", "Calibration: do the scores come true?"
    points = evidence.curves.calibration
    if not points:
        return _nothing(name, title, "Does not apply: no model, so there are no scores.")
    caption = (
        "Scores at the weeks' ends in ten bins of equal count. On the dashed line, what came true is what the score "
        "said; above it the model said too little, below it too much. The scales are square roots, since nearly all "
        "scores are small. Upright lines are 90% intervals."
    )
    rows = [(percent(each.score), _share(each.observed), decimal(each.observed.n)) for each in points]
    head = ("Mean score", "Came true (90% interval)", "Scores")
    return _figure(name, title, caption, table(title, head, rows), lambda: plots.calibration(points))


def _lead(document: Document, evidence: ReportEvidence) -> Element:
    name, title = "lead", "Lead time"
    leads = [each for each in evidence.curves.leads if each.days]
    if not leads:
        return _nothing(name, title, "Does not apply: no alert came before an identification.")
    caption = (
        "School days from the first right alert to the identification, for the identifications that had one (in "
        "brackets: how many). The box holds the middle half, the line in it is the median, the whiskers run from 5% "
        f"to 95%. An alert more than {HORIZON_DAYS} school days before counts as wrong, so no lead is longer. Ahead "
        "of the 10% rule: from a family's first alert of the year to that rule's first place. This is "
        "measured on one history. No published lead time exists, and none is promised."
    )
    rows = [_lead_row(LABELS[each], measures) for each, measures in document.given.items()]
    head = (
        "Strategy",
        "Lead, median",
        "Its quartiles",
        "Ahead of the 10% rule, median",
        "Its quartiles",
        "Compared on",
    )
    return _figure(name, title, caption, table(title, head, rows), lambda: plots.lead(leads, HORIZON_DAYS))


def _lead_row(label: str, measures: Measures) -> tuple[str, ...]:
    lead, over = measures["lead_days"], measures["lead_over_ten_percent"]
    return (label, *_quartiles(lead), *_quartiles(over), decimal(over["n"]))


def _quartiles(found: Quartiles) -> tuple[str, str]:
    if found["median"] is None:
        return DOES_NOT_APPLY, DOES_NOT_APPLY
    return f"{decimal(found['median'])} days", f"{decimal(found['q1'])} to {decimal(found['q3'])}"


def _groups(document: Document) -> Element:
    name, title = "groups", "False alerts, group by group"
    rows = group_rows(document)
    strategies = list(dict.fromkeys(each for row in rows for each in row.rates))
    if not rows:
        return _nothing(
            name, title, "Does not apply: the history names no groups, so nobody knows whether they are alike."
        )
    caption = (
        "The share of students who were never identified and were alerted all the same, with 90% intervals. The "
        f"model does not see these fields; they are used for this figure only. Fewer than {SMALL_CELL} students are "
        "not shown."
    )
    head = ("Group", "Value", "Students", *(f"{LABELS[each]} (90% interval)" for each in strategies))
    cells = table(title, head, [_group_row(row, strategies) for row in rows])
    drawn = [row for row in rows if row.large_enough]
    if not drawn:
        return _nothing(name, title, "Does not apply: every group is too small.")
    return _figure(name, title, caption, cells, lambda: plots.groups(drawn))


def _group_row(row: GroupRow, strategies: list[str]) -> tuple[str, ...]:
    students = next(iter(row.rates.values()))["n"]
    shown = decimal(students) if row.large_enough else f"fewer than {SMALL_CELL}"
    return (row.group, row.value, shown, *(_rate(row.rates.get(each)) for each in strategies))


def _rate(rate: FalseAlertRate | None) -> str:
    return DOES_NOT_APPLY if rate is None else percent_between(rate["rate"], rate["low"], rate["high"])


def _by_week(document: Document, evidence: ReportEvidence) -> Element:
    name, title = "by-week", "Alerts per week over the year"
    weekly = {each.strategy: each.alerts for each in evidence.curves.weeks}
    main = next((each for each in weekly if each == document.main), None)
    if main is None or not evidence.weeks:
        return _nothing(name, title, "Does not apply: no week was walked.")
    caption = (
        f"Students newly raised to elevated or urgent in each week, by: {LABELS[main]}. The dashed line is the "
        f"capacity, the number whom the team can newly take on in a week: {decimal(document.capacity)}. The threshold "
        "is steered week by week by what has been raised so far."
    )
    shown = [(each, weekly[each]) for each in weekly]
    rows = [(week.isoformat(), *(decimal(alerts[at]) for _, alerts in shown)) for at, week in enumerate(evidence.weeks)]
    numbers = table(title, ("Week of", *(LABELS[each] for each, _ in shown)), rows)
    return _figure(
        name, title, caption, numbers, lambda: plots.by_week(evidence.weeks, weekly[main], main, document.capacity)
    )


def _share(share: Share) -> str:
    return percent_between(share.rate, share.low, share.high)
