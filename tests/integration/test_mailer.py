"""The mailer and a real SMTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.notify.mail import HEADERS, Mail
from services.notify.mailer import CONNECTIONS, WORTH_A_CONNECTION, DeliveryOutcome, Mailer
from services.platform.embedded.ports import free_port
from tests.integration.mail_server import Server

MANY = CONNECTIONS * WORTH_A_CONNECTION
LONG = 60.0


def mail(recipient: str) -> Mail:
    headers = HEADERS.format(
        sender="fb@firstbell.example", recipient=recipient, case="FB-1", what="watch", date="", id=recipient, domain="x"
    )
    return Mail("fb@firstbell.example", recipient, headers, "Is now at a level.\n")


def mails(number: int) -> list[Mail]:
    return [mail(f"r{place}@hope.example") for place in range(number)]


def kinds(outcomes: list[DeliveryOutcome | None]) -> list[str | None]:
    return [outcome and outcome.kind for outcome in outcomes]


@asynccontextmanager
async def mailing(server: Server) -> AsyncIterator[Mailer]:
    port = free_port(taken=set())
    mailer = Mailer("127.0.0.1", port)
    async with server.listening(port):
        try:
            yield mailer
        finally:
            await mailer.close()


async def test_many_mails_go_over_a_few_connections_and_each_is_taken_once() -> None:
    server = Server()
    async with mailing(server) as mailer:
        assert kinds(await mailer.send(mails(MANY), seconds=LONG)) == ["sent"] * MANY
        assert sorted(to for to, _ in server.taken) == sorted(each.recipient for each in mails(MANY))
        assert server.greeted == CONNECTIONS


async def test_a_connection_is_kept_for_the_next_mails() -> None:
    server = Server()
    async with mailing(server) as mailer:
        for _ in range(3):
            assert kinds(await mailer.send(mails(2), seconds=LONG)) == ["sent", "sent"]
        assert server.greeted == 1


async def test_a_server_that_wants_fewer_connections_gets_all_mails_over_those() -> None:
    server = Server(most=1)
    async with mailing(server) as mailer:
        assert kinds(await mailer.send(mails(MANY), seconds=LONG)) == ["sent"] * MANY
        assert server.greeted == 1


async def test_a_mail_that_is_refused_or_cannot_be_written_to_stops_no_other() -> None:
    server = Server(lambda to: {"r1@hope.example": "550 no", "r2@hope.example": "451 later"}.get(to, "250 OK"))
    to = [*mails(4), mail("ä@hope.example"), mail("a@hope.example\r\nBcc: b@hope.example"), *mails(1)]
    async with mailing(server) as mailer:
        outcomes = await mailer.send(to, seconds=LONG)
    assert kinds(outcomes) == ["sent", "refused", "later", "sent", "refused", "refused", "sent"]
    assert [outcome.error for outcome in outcomes if outcome and outcome.kind == "refused"] == [
        "SMTPRecipientsRefused 550",
        "UnicodeEncodeError",
        "ValueError",
    ]


async def test_once_the_server_is_away_nothing_else_is_begun() -> None:
    mailer = Mailer("127.0.0.1", free_port(taken=set()))
    assert kinds(await mailer.send(mails(3), seconds=LONG)) == ["away", None, None]


async def test_after_the_time_is_up_nothing_else_is_begun_but_one_always_is() -> None:
    async with mailing(Server()) as mailer:
        assert kinds(await mailer.send(mails(3), seconds=0)) == ["sent", None, None]
        assert await mailer.send([], seconds=LONG) == []
