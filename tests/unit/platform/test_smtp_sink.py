from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.platform.embedded.smtp_sink import Keeper, keep, safe_name

NOW = datetime(2016, 12, 1, 13, 5, 9, 42, tzinfo=UTC)
MAIL = b"Message-ID: <case-1@firstbell.local>\r\nSubject: A case\r\n\r\nHello\r\n"


def test_a_mail_is_kept_under_its_time_and_message_id(tmp_path: Path) -> None:
    path = keep(tmp_path, MAIL, ["team@example.org"], NOW)
    assert path.name == "20161201T130509.000042Z-case-1@firstbell.local.eml"
    assert path.read_bytes() == b"Delivered-To: team@example.org\r\n" + MAIL
    assert list(tmp_path.iterdir()) == [path]


def test_a_message_id_cannot_leave_the_folder() -> None:
    assert safe_name("<../../etc/passwd@x>") == "etcpasswd@x"
    assert safe_name("") == "no-id"
    assert len(safe_name("a" * 500)) == 100


async def test_a_mail_that_cannot_be_stored_is_to_be_sent_again(tmp_path: Path) -> None:
    envelope = Envelope()
    envelope.content = MAIL
    reply = await Keeper(tmp_path / "missing").handle_DATA(SMTP(None), Session(None), envelope)
    assert reply.startswith("451 ")
