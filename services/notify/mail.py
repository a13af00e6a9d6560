"""The mail's words. It names no student, school or district id: a case number, a kind of reason, a link."""

from __future__ import annotations

from binascii import b2a_qp
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import format_datetime
from textwrap import fill
from typing import Final, Literal
from uuid import UUID

from services.contracts.alerts import Level
from services.contracts.ids import case_number
from services.platform.notice import NOTICE

NotificationKind = Literal["level", "withdrawn", "escalation"]

WHAT_TO_DO: Final[dict[Level, str]] = {
    "watch": "Open the link, read the reasons, and decide whether to call the family.",
    "elevated": "Open the link, read the reasons, and plan a call to the family in the next days.",
    "urgent": "Open the link, read the reasons, and call the family today if you can.",
}

HEADERS: Final = """\
From: First Bell <{sender}>
To: {recipient}
Subject: First Bell {case}: {what}
Date: {date}
Message-ID: <{id}@{domain}>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

"""
"""Every value is plain ASCII and one line, by the patterns of settings and teams; Python's `EmailMessage`, which parses
and folds each again, takes a millisecond a mail."""

LEVEL_TEXT: Final = """\
Case {case} is now at the level: {level}
Since:   {since}
Because: {because}

{what_to_do}
{link}
"""

WITHDRAWN_TEXT: Final = """\
Case {case}, of which you were told, is withdrawn since {since}.

The school has corrected its attendance records, and with the corrected records there is no reason
for this alert. You need not call because of it. What was recorded, and when, is here:
{link}
"""

ESCALATION_TEXT: Final = """\
Nobody has taken case {case} yet. It has waited since {since}; its level is {level}.

Please see to it that somebody takes it, or assign it:
{link}
"""

TEXTS: Final[dict[NotificationKind, str]] = {
    "level": LEVEL_TEXT,
    "withdrawn": WITHDRAWN_TEXT,
    "escalation": ESCALATION_TEXT,
}

FOOTER: Final = f"""
--\x20
First Bell. This mail names nobody, on purpose; please name nobody when you answer or forward it.
{fill(NOTICE, 100)}
"""


@dataclass(frozen=True, slots=True)
class Notification:
    """What one recipient is to read."""

    id: UUID
    alert_id: UUID
    kind: NotificationKind
    level: Level
    kinds: tuple[str, ...]
    """The kinds of reason, in plain words."""
    changed_on: date
    recipient: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail and its envelope."""

    sender: str
    recipient: str
    headers: str
    text: str

    def as_bytes(self) -> bytes:
        """The mail, lines ended by a newline; raises `ValueError` when a header is not one line of plain ASCII."""
        if self.headers.count("\n") != HEADERS.count("\n"):
            raise ValueError("a header has more than one line")
        return self.headers.encode("ascii") + b2a_qp(self.text.encode(), istext=True)


def compose(notification: Notification, *, sender: str, public_url: str) -> Mail:
    """The mail, the same at every try: its Message-ID and Date come from the notification."""
    case = case_number(notification.alert_id)
    headers = HEADERS.format(
        sender=sender,
        recipient=notification.recipient,
        case=case,
        what=_what(notification),
        date=format_datetime(notification.created_at),
        id=notification.id,
        domain=sender.rpartition("@")[2],
    )
    body = TEXTS[notification.kind].format(
        case=case,
        level=notification.level,
        since=notification.changed_on.isoformat(),
        because="; ".join(notification.kinds),
        what_to_do=WHAT_TO_DO[notification.level],
        link=f"{public_url}/cases/{notification.alert_id}",
    )
    return Mail(sender, notification.recipient, headers, body + FOOTER)


def _what(notification: Notification) -> str:
    """What the subject says."""
    if notification.kind == "escalation":
        return f"nobody has taken it ({notification.level})"
    return notification.level if notification.kind == "level" else "withdrawn"
