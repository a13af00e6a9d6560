"""What is made of attendance that flows: the figures of now, alerts, what was done about them, mails."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from pydantic import JsonValue

from services.casework.inspection import HeldAlert
from services.ingest.inspection.schemas import HeldFeed
from services.inspection import words
from services.inspection.document import HeldWindow, InspectionDocument
from services.inspection.parts import DASH, table_or
from services.inspection.words import Plain, day
from services.platform.page.elements import Element, facts, more, paragraph, table, tag, warning


def flowing(document: InspectionDocument, feed: HeldFeed, plain: Plain) -> Iterable[Element]:
    """What the other services hold of a feed."""
    yield tag("h3", "What is counted from it now")
    yield from _window(document.windows.get(feed.pseudonym), plain)
    yield tag("h3", "Alerts, and what was done about them")
    yield from alerts_of(document, [feed.pseudonym], plain)
    yield tag("h3", "Mails")
    yield _mails(document, feed, plain)


def _window(window: HeldWindow | None, plain: Plain) -> Iterable[Element]:
    if window is None or window.state == "away":
        yield warning(
            "The part of the system that counts did not answer when this was made, so its figures are missing here. "
            "They are made from the attendance above and nothing else. Ask for this document again to have them."
        )
    elif window.document is None:
        yield paragraph("Nothing is counted.")
    else:
        found = window.document
        known = [(name, _figure(key, found[key])) for key, name in words.FIGURES.items() if found.get(key) is not None]
        yield facts([*known, *_score(found.get("risk"))])
        marks = found.get("marks")
        rows = [_window_mark(mark, plain) for mark in (marks if isinstance(marks, list) else [])]
        if rows:
            listed = table("Days as they are counted, of the attendance above", ("Day", "Counted as", "School"), rows)
            yield more(f"The {len(rows):,} days that are counted with", listed)


def _score(risk: JsonValue) -> list[tuple[str, str]]:
    if not isinstance(risk, dict) or not isinstance(risk.get("score"), float):
        return []
    simulated = ", which was trained on made-up students" if risk.get("simulated") else ""
    score = f"{risk['score']:.2f} of 1, by the model {risk.get('model')}{simulated}; it decides nothing by itself"
    return [("Estimated chance that the family is identified as homeless within 30 school days", score)]


def _window_mark(mark: JsonValue, plain: Plain) -> tuple[str, str, str]:
    given = mark if isinstance(mark, dict) else {}
    excused = given.get("excused")
    counted = words.status(str(given.get("status")), excused=excused if isinstance(excused, bool) else None)
    return day(date.fromisoformat(str(given["date"]))), counted, plain.school(str(given.get("school_id") or ""))


def alerts_of(document: InspectionDocument, pseudonyms: Collection[str], plain: Plain) -> Iterable[Element]:
    """The alerts of these, each under a heading of the fourth level."""
    alerts = [alert for alert in document.alerts if alert.student in pseudonyms]
    if not alerts:
        yield paragraph("There was no alert.")
    for alert in alerts:
        yield from _alert(alert, plain)


def _alert(alert: HeldAlert, plain: Plain) -> Iterable[Element]:
    yield tag("h4", f"Case {alert.case_number}, of {day(alert.raised_on)}")
    if alert.level is None:
        yield paragraph("That there was an alert is all that is kept of it.")
        return
    level, status = words.LEVELS.get(alert.level, alert.level), words.ALERT_STATUS.get(alert.status, alert.status)
    yield paragraph(f"At {plain.school(alert.school or '')}. It is {status}; its level is {level}.")
    yield paragraph(f"This is as of {plain.moment(alert.updated_at)}, computed from the attendance above.")
    reasons = [
        (
            reason.text,
            ", ".join(day(one) for one in reason.dates) or DASH,
            reason.usual or DASH,
            reason.clears,
        )
        for reason in alert.reasons
    ]
    yield table_or(
        "Reasons", ("Reason", "Days", "Usual for the student", "What ends it"), reasons, "No reason is kept."
    )
    steps = [
        (
            day(step.changed_on),
            f"{words.STEPS.get(step.type, step.type)} {step.level}, {words.BECAUSE.get(step.because, step.because)}",
        )
        for step in alert.steps
    ]
    actions = [
        (day(one.on), f"{_done(one.action, one.outcome)} (noted {plain.moment(one.at)})") for one in alert.actions
    ]
    yield table_or("What happened", ("Day", "What"), [*steps, *actions], "Nothing is kept.")
    notes = [(day(one.on), one.text) for one in alert.notes]
    yield table_or("What people wrote about the family's case", ("Day", "Words"), notes, "Nothing is written.")


def _done(action: str, outcome: str | None) -> str:
    done = words.ACTIONS.get(action, action)
    return done if outcome is None else f"{done}: {words.OUTCOMES.get(outcome, outcome)}"


def _mails(document: InspectionDocument, feed: HeldFeed, plain: Plain) -> Element:
    rows = [
        (
            plain.moment(mail.created_at),
            mail.recipient,
            f"Case {mail.case_number}: {words.MAILS.get(mail.kind, mail.level)}; {'; '.join(mail.kinds)}",
            words.MAIL_STATUS.get(mail.status, mail.status)
            + (f" {plain.moment(mail.sent_at)}" if mail.sent_at is not None else ""),
        )
        for mail in document.notify.mails
        if mail.student == feed.pseudonym
    ]
    rows += [
        (
            f"since {day(one.changed_on)}",
            f"team {one.team}",
            f"Case {one.case_number}: {one.level}, {'open' if one.is_open else 'over'}; {'; '.join(one.kinds)}",
            f"last told of the level {one.last_told}" if one.last_told else DASH,
        )
        for one in document.notify.notices
        if one.student == feed.pseudonym
    ]
    head = ("When", "To whom", "What it says", "State")
    return table_or("Mails, which name no student, and what each team was told", head, rows, "There was no mail.")


def _figure(key: str, value: JsonValue) -> str:
    if key == "as_of":
        return day(date.fromisoformat(str(value)))
    return f"{value:.0%}" if isinstance(value, float) else str(value)
