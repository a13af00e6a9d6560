"""The top of the report: where the model comes from, what a call is worth, what was walked, and what to beware of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.lab.backtest_table import LABELS
from services.lab.report.document import BASELINE, Document, Threshold
from services.lab.report.groups import WIDEST_GAP, gap_warning, gaps, group_rows
from services.lab.report.numbers import DOES_NOT_APPLY, decimal, percent, points
from services.lab.report.words import provenance, worth
from services.platform.page.elements import Element, facts, paragraph, section, tag, warning


def summary(document: Document, weeks: Sequence[date]) -> Element:
    """The first section of the page."""
    simulated = document.model is not None and document.model.simulated
    said = provenance(document)
    sentences = worth(document) or [
        "No alert of this history can be judged, so nothing is known of what a call is worth."
    ]
    return section(
        "summary",
        "In short",
        warning(said) if simulated else paragraph(said),
        *(tag("p", sentence, class_="worth") for sentence in sentences),
        *_group_gaps(document),
        facts(_walked(document, weeks)),
    )


def _group_gaps(document: Document) -> list[Element]:
    rows = group_rows(document)
    found, baseline = gaps(rows, document.main), gaps(rows, BASELINE)
    if not found:
        return [paragraph("No group could be compared with another, so nobody knows whether they are treated alike.")]
    wide = [gap for gap in found.values() if gap.width > WIDEST_GAP]
    if not wide:
        return [paragraph(f"False-alert rates lie within {points(WIDEST_GAP)} in: {', '.join(found)}.")]
    return [warning(gap_warning(gap, baseline.get(gap.group))) for gap in wide]


def _walked(document: Document, weeks: Sequence[date]) -> list[tuple[str, str]]:
    model = document.model
    return [
        ("Judged here", LABELS[document.main]),
        ("Model", "none" if model is None else f"{model.name}, {model.version}; trained on: {model.trained_on}"),
        ("Rules", f"policy {document.policy}"),
        ("Students with consent", decimal(document.students)),
        ("Weeks", f"{len(weeks)}, with {decimal(document.days)} school days{_span(weeks)}"),
        ("Attendance rows", decimal(document.marks)),
        ("Capacity", f"{decimal(document.capacity)} students whom the team can newly take on in a week"),
        ("New alerts a week", decimal(document.strategies[document.main]["alerts_per_week"])),
        ("Threshold of the score", _steered(document.threshold)),
        ("Time taken", f"{decimal(document.seconds)} seconds"),
    ]


def _steered(threshold: Threshold) -> str:
    if threshold.first is None or threshold.last is None:
        return DOES_NOT_APPLY
    return f"{percent(threshold.first)} in the first week, {percent(threshold.last)} in the last"


def _span(weeks: Sequence[date]) -> str:
    return f", from the week of {weeks[0].isoformat()} to that of {weeks[-1].isoformat()}" if weeks else ""
