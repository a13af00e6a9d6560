"""The page that a parent is given: what is held of the child, where it comes from, and who saw it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final

from services.ingest.inspection.schemas import HeldConsent, HeldFeed, HeldStatement
from services.ingest.proofs.schemas import Proof
from services.ingest.rows.kinds import RECORD_TABLES
from services.inspection import words
from services.inspection.document import InspectionDocument
from services.inspection.flowing import alerts_of, flowing
from services.inspection.parts import DASH, day_or_dash, table_or
from services.inspection.records import records_of
from services.inspection.words import NOT_KEPT, Plain, day
from services.platform.page.elements import Element, facts, paragraph, section, tag
from services.platform.page.whole import page
from services.platform.sharing import ATTENDANCE

TITLE: Final = "What First Bell holds about one student"


def render(document: InspectionDocument, zone: tzinfo) -> str:
    """The whole page as HTML; moments are in the district's timezone."""
    plain = Plain(zone, document.ingest.schools, document.ingest.parties)
    parts = [
        _about(document, plain),
        *(_feed(document, feed, plain, number) for number, feed in enumerate(document.ingest.feeds, 1)),
        _statements(document),
        _seen(document, plain),
        _erased(document, plain),
        _further(),
    ]
    return page(TITLE, parts)


def _about(document: InspectionDocument, plain: Plain) -> Element:
    inspection = document.inspection
    known = facts(
        [
            ("The district's number of the student", document.student_id),
            ("Made", f"{plain.moment(document.made_at)}, by {document.made_by}"),
            ("Inspection", f"number {inspection.id}, asked for on {day(inspection.opened_on)}"),
            ("To be shown by", f"{day(inspection.due_on)}, which is 45 days after it was asked for"),
        ]
    )
    what = (
        "First Bell looks at school attendance for signs that a family may be losing its home, and tells people who "
        "can help. It does so only where a parent has consented. Where a parent has consented to that too it keeps "
        "other records, such as grades, for the purposes named below. This is everything that it holds about this "
        "student, with where it comes from and since when, and everyone who was shown some of it. You may see it by "
        "law (34 CFR 99.10), and nothing of it is destroyed while you do."
    )
    if document.ingest.feeds:
        return section("about", "About this document", paragraph(what), known)
    gone = "Nothing is held about this student any more. What ended, and who had seen it before, is below."
    return section("about", "About this document", paragraph(what), known, paragraph(gone))


def _feed(document: InspectionDocument, feed: HeldFeed, plain: Plain, number: int) -> Element:
    party = plain.party(feed.party)
    how = (
        f"Attendance is given to {party} as it comes in."
        if not feed.kept_for
        else f"{_what(feed)} kept for {party} in the district's database, for the purpose {feed.kept_for}."
    )
    consent = (
        f"A consent is in force since {day(feed.consent_from)}"
        + (f", until {day(feed.consent_through)}." if feed.consent_through else ".")
        if feed.consent_from
        else "No consent is in force now, so nobody is shown anything of it."
    )
    kind = "" if feed.kind == ATTENDANCE else words.KINDS[feed.kind]
    title = ": ".join(filter(None, (f"What is kept for {party}", ", for ".join(filter(None, (kind, feed.kept_for))))))
    return section(
        f"kept-{number}",
        title,
        paragraph(f"{how} {consent}"),
        tag("h3", "Who the student is"),
        _identity(feed),
        tag("h3", "Consents"),
        _consents(feed.consents, plain),
        tag("h3", "Schools"),
        _enrollments(feed, plain),
        *_of_kind(document, feed, plain),
    )


def _what(feed: HeldFeed) -> str:
    return "Attendance is" if feed.kind == ATTENDANCE else f"These records ({words.KINDS[feed.kind]}) are"


def _of_kind(document: InspectionDocument, feed: HeldFeed, plain: Plain) -> Iterable[Element]:
    if feed.kind != ATTENDANCE:
        yield from records_of(feed, [name for name, table in RECORD_TABLES.items() if table.kind == feed.kind], plain)
        return
    yield tag("h3", "What the school said of each day")
    yield _marks(feed, plain)
    if not feed.kept_for:
        yield from flowing(document, feed, plain)


def _identity(feed: HeldFeed) -> Element:
    name = " ".join(filter(None, (feed.first_name, feed.last_name)))
    household = (
        f"a household key, {feed.household}, made from the district's number of the household: with it brothers and "
        "sisters are known to belong together"
        if feed.household
        else NOT_KEPT
    )
    known = [
        ("Name", f"{name}, from the district's list of students" if name else NOT_KEPT),
        ("Grade", f"{feed.grade}, from the district's list of students" if feed.grade else NOT_KEPT),
        ("Of age", f"on {day(feed.adult_on)}: from then on the student signs" if feed.adult_on else NOT_KEPT),
        ("Household", household),
        ("Name in the system", f"{feed.pseudonym}, made from the district's number with a secret key"),
        ("Place in the system", f"{feed.slot}, which says where the student's records travel"),
        ("Key", "one of its own, by which all that is sent is sealed" if feed.has_key else "none"),
        ("Messages", f"check sums of {feed.events:,}, so that one that comes twice counts once"),
    ]
    if feed.kind != ATTENDANCE:  # the same is told in each kind's section: what is not there is left out
        known = [(name, value) for name, value in known if value != NOT_KEPT and name not in {"Key", "Messages"}]
    return facts(known)


def _consents(consents: Sequence[HeldConsent], plain: Plain) -> Element:
    head = ("Signed", "By", "For", "To", "Until", "Withdrawn", "Agreement")
    rows = [
        (
            day(one.signed_on),
            ", ".join(filter(None, (one.signed_by, one.relationship, one.method))) or NOT_KEPT,
            " for ".join(filter(None, (words.kinds(one.records), one.purpose))) or DASH,
            ", ".join(plain.party(recipient) for recipient in one.recipients) or DASH,
            day_or_dash(one.expires_on),
            day_or_dash(one.revoked_on),
            one.agreement or DASH,
        )
        for one in consents
    ]
    return table_or("Consents, as the district handed them in", head, rows, "No consent is kept.")


def _enrollments(feed: HeldFeed, plain: Plain) -> Element:
    rows = [(plain.school(one.school), day(one.entry_date), day_or_dash(one.exit_date)) for one in feed.enrollments]
    head = ("School", "First day", "Last day")
    return table_or("Enrollments, from the district's list of enrollments", head, rows, "No enrollment is kept.")


def _marks(feed: HeldFeed, plain: Plain) -> Element:
    rows = [
        (
            f"On {day(mark.date)}",
            f"{plain.school(mark.school)} said: {words.said(mark)}",
            mark.section or "the whole day",
            "; ".join(filter(None, (plain.source(mark), mark.reason and f"reason given: {mark.reason}"))),
            "counts" if mark.stands else "replaced by what was said later",
        )
        for mark in feed.marks
    ]
    head = ("Day", "What the school said", "Part of the day", "Where from, and as of when", "Counts")
    return table_or("Attendance, as the school reported it", head, rows, "No attendance is kept.")


def _statements(document: InspectionDocument) -> Element:
    by_number = {one.number: one for feed in document.ingest.feeds for one in feed.statements}
    rows = [_statement(one) for one in by_number.values()]
    head = ("Asked on", "About", "Statement", "Decision")
    listed = table_or("Requests to correct the record (34 CFR 99.20)", head, rows, "No request is kept.")
    return section("statements", "What you asked to correct", listed)


def _statement(one: HeldStatement) -> tuple[str, str, str, str]:
    decision = (
        "not decided yet"
        if one.decision is None or one.decided_on is None
        else f"{words.DECISIONS[one.decision]}, on {day(one.decided_on)}" + (f": {one.note}" if one.note else "")
    )
    about = "the whole record" if one.about is None else day(one.about)
    return f"{day(one.asked_on)} (number {one.number})", about, one.statement, decision


def _seen(document: InspectionDocument, plain: Plain) -> Element:
    rows = [
        (
            plain.when(seen),
            plain.who(seen),
            words.did(seen),
            " under ".join(filter(None, (seen.purpose and f"for {seen.purpose}", seen.agreement))) or DASH,
        )
        for seen in document.ingest.seen
    ]
    head = ("When", "Who", "What", "For what, under which agreement")
    listed = table_or("Everyone who was shown something of this student", head, rows, "Nobody was.")
    note = paragraph(
        "Each look is on record before anything is shown. What the system hands on by itself is summed up in a line."
    )
    return section("seen", "Who saw it", note, listed)


def _erased(document: InspectionDocument, plain: Plain) -> Element:
    rows = [
        (
            plain.moment(one.at),
            f"{words.why_ended(one)}, for {plain.party(one.party)}; done by {one.by}",
            _removed(one.proof),
            words.STATES[one.proof.state if one.proof else None],
            str(one.id),
        )
        for one in document.ingest.erased
    ]
    head = ("When", "What ended", "Removed, by place", "State", "Proof")
    listed = table_or("Consents that ended, and what was removed with each", head, rows, "No consent has ended.")
    gone = {one.pseudonym for one in document.ingest.erased if one.pseudonym}
    gone -= {feed.pseudonym for feed in document.ingest.feeds}
    left = [tag("h3", "Alerts of before"), *alerts_of(document, gone, plain)] if gone else []
    return section("erased", "What was removed", listed, *left)


def _removed(proof: Proof | None) -> str:
    return "; ".join(f"{place}: {number:,}" for place, number in proof.removed.items()) if proof else DASH


def _further() -> Element:
    points = (
        "If something is wrong, misleading or breaks your child's privacy, ask the district to correct it (34 CFR "
        "99.20). What you ask is kept with the record, in your words, and shown with it.",
        "You may withdraw your consent at any time. From then on nobody is shown anything, and what is kept is "
        "removed.",
        "Copies travel between the parts of the system, sealed with the key named above. When the key is deleted "
        "nobody can read them any more; they themselves are removed after the time that the agreement sets.",
        "Numbers of a whole school, such as how many were absent on a day, name nobody and are not in here.",
    )
    return section("further", "What you can do, and what else there is", tag("ul", *(tag("li", one) for one in points)))
