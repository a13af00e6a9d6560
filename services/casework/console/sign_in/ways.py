"""By which way people come to a token here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.casework.console.sessions import ConsoleSession, SignedIn
from services.casework.console.sign_in.provider import OpenIdProvider
from services.platform.identity.caller import Caller
from services.platform.identity.own_issuer import Grant, OwnIssuer

SECONDS: Final = 3600
"""For so long a token of the embedded run is renewed."""


@dataclass(frozen=True, slots=True)
class SignInWay:
    """The embedded run's own issuer, or an OpenID provider."""

    embedded: OwnIssuer | None
    provider: OpenIdProvider | None
    agencies: Callable[[], Awaitable[Sequence[str]]]
    """Of whom the embedded run's caseworkers can be."""

    def can_extend(self, session: ConsoleSession) -> bool:
        """Whether the session can go on."""
        return self.embedded is not None or session.refresh_token is not None

    async def renewed(self, session: ConsoleSession, who: Caller) -> SignedIn | None:
        """Another token for who is signed in; None when they must sign in again."""
        if self.embedded is not None:
            grant = Grant(
                role=who.role, subject=who.subject, agency=who.agency, schools=who.schools, records=who.records
            )
            return SignedIn(self.embedded.sign(grant, seconds=SECONDS), session.expires_at)
        if self.provider is None or session.refresh_token is None:
            return None
        return await self.provider.renewed(session.refresh_token)
