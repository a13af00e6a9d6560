from __future__ import annotations

from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from uuid import UUID, uuid5

import pytest

from services.contracts.alerts import LEVELS, Level
from services.contracts.ids import NAMESPACE, case_number
from services.notify.mail import Notification, NotificationKind, compose
from services.notify.outbox_writer import notification_id
from services.platform.notice import NOTICE

ALERT = uuid5(NAMESPACE, "alert")


def notification(kind: NotificationKind = "level", level: Level = "elevated") -> Notification:
    return Notification(
        id=notification_id(UUID(int=1), kind, "a@hope.example"),
        alert_id=ALERT,
        kind=kind,
        level=level,
        kinds=("absences in a row", "absences this year"),
        changed_on=date(2016, 12, 5),
        recipient="a@hope.example",
        created_at=datetime(2016, 12, 5, 14, tzinfo=UTC),
    )


def composed(kind: NotificationKind = "level", level: Level = "elevated") -> tuple[dict[str, str], str]:
    sent = compose(notification(kind, level), sender="fb@firstbell.example", public_url="http://127.0.0.1:8000")
    received = message_from_bytes(sent.as_bytes(), policy=policy.default)
    return dict(received.items()), received.get_content()


def words(body: str) -> str:
    """The text, however it is broken into lines."""
    return " ".join(body.split())


def test_a_mail_has_the_case_the_level_the_kinds_of_reason_the_date_and_the_link() -> None:
    headers, body = composed()
    assert headers["Subject"] == f"First Bell {case_number(ALERT)}: elevated"
    assert headers["To"] == "a@hope.example"
    for part in (case_number(ALERT), "elevated", "absences in a row; absences this year", "2016-12-05"):
        assert part in body
    assert f"http://127.0.0.1:8000/cases/{ALERT}\n" in body


def test_a_withdrawn_mail_says_why_in_plain_words() -> None:
    headers, body = composed("withdrawn")
    assert headers["Subject"] == f"First Bell {case_number(ALERT)}: withdrawn"
    assert "corrected its attendance records" in body


def test_the_same_notification_is_the_same_mail_at_every_try() -> None:
    one, other = (
        compose(notification(), sender="fb@firstbell.example", public_url="http://x").as_bytes() for _ in range(2)
    )
    assert one == other
    assert composed()[0]["Message-ID"] == f"<{notification().id}@firstbell.example>"


@pytest.mark.parametrize("kind", ["level", "withdrawn"])
def test_a_mail_ends_with_the_notice_against_redisclosure(kind: NotificationKind) -> None:
    assert words(composed(kind)[1]).endswith(f" {NOTICE}")


@pytest.mark.parametrize("kind", ["level", "withdrawn"])
@pytest.mark.parametrize("level", LEVELS)
def test_no_mail_says_what_the_risk_is(kind: NotificationKind, level: Level) -> None:
    headers, body = composed(kind, level)
    text = f"{headers['Subject']} {words(body).replace(NOTICE, '')}".lower()
    for word in ("homeless", "mckinney", "student", "housing", "shelter"):
        assert word not in text


def test_a_recipient_has_one_id_for_each_kind_and_event() -> None:
    ids = {
        notification_id(UUID(int=event), kind, recipient)
        for event in (1, 2)
        for kind in ("level", "withdrawn")
        for recipient in ("a", "b")
    }
    assert len(ids) == 8
