"""An Ed-Fi ODS/API: its addresses, its token, and its answers, each asked for until it comes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay

from services.ingest.pull.credentials import ClientCredentials
from services.ingest.pull.waiting import retry_after, wait_for
from services.platform.errors import OperatorError

_TIMEOUT: Final = 60.0
_FIRST_SECONDS: Final = 15.0
_ASK_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_OFFERED: Final = frozenset({403, 404, 405, 410})
_USUAL: Final = {"oauth": "oauth/token", "dataManagementApi": "data/v3", "changeQueries": "changeQueries/v1"}
"""The parts of the API as its root names them, and where they are unless it says another place."""
Document = Mapping[str, object]


class OdsError(OperatorError):
    """The API cannot be used; the message says why and what to do."""


class NotOfferedError(OdsError):
    """The API does not have this, or the client has no right to it."""

    def __init__(self, what: str, status: int) -> None:
        why = "the client has no right to it" if status == httpx.codes.FORBIDDEN else "the API does not have it"
        super().__init__(f"{what}: {why} ({status}).")


class AskAgainError(Exception):
    """An answer that may be another one next time; `seconds` is how long the API asks to wait."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class OdsAnswer:
    """A JSON answer."""

    body: object
    total: int | None
    """The header `Total-Count`, where it was asked for and is given."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the parts of the API are, without a slash behind."""

    token: str
    data: str
    changes: str


class OdsClient:
    """Asks an API; a page that does not come is asked for again, with growing pauses, for `patience` seconds."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        credentials: ClientCredentials,
        patience: float,
        say: Callable[[str], None],
    ) -> None:
        self.url = url
        self._http = http
        self._credentials = credentials
        self._patience = patience
        self._say = say
        self._urls: Urls | None = None
        self._token: str | None = None
        self.use_snapshot = False
        """Whether what is asked is the API's snapshot."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, credentials: ClientCredentials, patience: float, say: Callable[[str], None]
    ) -> AsyncIterator[OdsClient]:
        """A client of the API at this address; connects when first used."""
        async with httpx.AsyncClient(timeout=_TIMEOUT, headers={"Accept": "application/json"}) as http:
            yield cls(http, url, credentials, patience, say)

    async def data(self, path: str, params: Mapping[str, str | int]) -> OdsAnswer:
        """What the data management API has at this path below `ed-fi`."""
        return await self._get(f"{(await self._found()).data}/ed-fi/{path}", params, path)

    async def changes(self, path: str) -> OdsAnswer:
        """What the change queries API has at this path."""
        return await self._get(f"{(await self._found()).changes}/{path}", {}, path)

    async def reach(self) -> None:
        """Find out where its parts are. Raises `OdsError` soon when nothing answers: it may be another's address."""
        await self._found()

    async def _found(self) -> Urls:
        if self._urls is None:
            answer = await self._until_it_comes(self._ask_root, min(self._patience, _FIRST_SECONDS))
            self._urls = _urls(answer.body, self.url)
        return self._urls

    async def _ask_root(self) -> OdsAnswer:
        response = await self._http.get(self.url, follow_redirects=True)
        return _read(response, "The address")

    async def _get(self, url: str, params: Mapping[str, str | int], what: str) -> OdsAnswer:
        async def ask() -> OdsAnswer:
            for renewed in (False, True):
                if self._token is None:
                    self._token = await self._new_token()
                headers = {"Authorization": f"Bearer {self._token}"}
                if self.use_snapshot:
                    headers["Use-Snapshot"] = "true"
                response = await self._http.get(url, params=params, headers=headers)
                if response.status_code != httpx.codes.UNAUTHORIZED:
                    return _read(response, what)
                self._token = None
                if renewed:
                    break
            raise OdsError(f"{what}: the API does not accept the token that it gave. Ask who hosts it.")

        return await self._until_it_comes(ask, self._patience)

    async def _new_token(self) -> str:
        response = await self._http.post(
            (await self._found()).token,
            data={"grant_type": "client_credentials"},
            auth=(self._credentials.client_id, self._credentials.client_secret),
        )
        if response.status_code in (400, 401, 403):
            raise OdsError("The API refuses the client. Look at client_id and client_secret in the client file.")
        body = _read(response, "The token").body
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str):
            raise OdsError("The API's answer holds no access_token. Is the address that of an Ed-Fi ODS/API?")
        return token

    async def _until_it_comes(self, ask: Callable[[], Awaitable[OdsAnswer]], patience: float) -> OdsAnswer:
        retrying = AsyncRetrying(
            stop=stop_after_delay(patience),
            wait=wait_for,
            retry=retry_if_exception_type((AskAgainError, httpx.TransportError, httpx.DecodingError)),
            before_sleep=self._tell,
            reraise=True,
        )

        async def attempt() -> OdsAnswer:
            return await ask()

        try:
            return await retrying(attempt)
        except (AskAgainError, httpx.TransportError, httpx.DecodingError) as error:
            why = str(error) if isinstance(error, AskAgainError) else type(error).__name__
            raise OdsError(
                f"The API at {self.url} does not answer ({why}). Run it again later: it goes on where it was."
            ) from error

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        why = str(error) if isinstance(error, AskAgainError) else type(error).__name__
        if state.attempt_number > 1:
            self._say(f"The API does not answer ({why}); try {state.attempt_number + 1} follows")


def _read(response: httpx.Response, what: str) -> OdsAnswer:
    """The answer, or an error that holds nothing of it."""
    status = response.status_code
    if status in _ASK_AGAIN:
        raise AskAgainError(str(status), retry_after(response.headers.get("Retry-After")))
    if status in _NOT_OFFERED:
        raise NotOfferedError(what, status)
    if status != httpx.codes.OK:
        raise OdsError(f"{what}: the API answers {status}. Ask who hosts it.")
    total = response.headers.get("Total-Count", "")
    try:
        return OdsAnswer(json.loads(response.content), int(total) if total.isdigit() else None)
    except ValueError:
        raise AskAgainError("an answer that breaks off") from None


def _urls(body: object, url: str) -> Urls:
    """As the root names them; what it does not name is where the published API has it."""
    given = body.get("urls") if isinstance(body, dict) else None
    if not isinstance(given, dict) or not all(isinstance(given.get(name, ""), str) for name in _USUAL):
        raise OdsError(f"{url} is not the root of an Ed-Fi ODS/API, which names its urls. Check the address.")
    root = url.rstrip("/")
    texts = [str(given.get(name) or f"{root}/{path}").rstrip("/") for name, path in _USUAL.items()]
    if any("{" in one for one in texts):
        raise OdsError(f"The API at {url} has several tenants or years: give the address of one of them.")
    if urlsplit(url).scheme == "https" and any(urlsplit(one).scheme != "https" for one in texts):
        raise OdsError(f"The API at {url} names addresses without https: no secret is sent there. Ask who hosts it.")
    return Urls(*texts)
