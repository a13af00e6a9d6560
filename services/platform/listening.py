"""Where a service listens, and to whom: elsewhere than on loopback only with TLS or behind a proxy that is named."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypedDict

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from services.platform.http import ProblemError
from services.platform.settings import Settings, SettingsError

STARTUP_FAILURE: Final = 3
"""As uvicorn exits when it could not begin."""


class Listening(TypedDict):
    """What uvicorn is told."""

    host: str
    port: int
    ssl_certfile: str | None
    ssl_keyfile: str | None
    proxy_headers: bool


def listening(settings: Settings, port: int) -> Listening:
    """Where to listen; raises `SettingsError` where what is said could be overheard."""
    cert, key = settings.tls_cert, settings.tls_key
    if (cert is None) is not (key is None):
        raise SettingsError("FIRSTBELL_TLS_CERT and FIRSTBELL_TLS_KEY belong together: set both, or neither.")
    for name, path in (("FIRSTBELL_TLS_CERT", cert), ("FIRSTBELL_TLS_KEY", key)):
        if path is not None and not path.is_file():
            raise SettingsError(f"{name} names no file: {path}.")
    if cert is None and settings.trusted_proxy is None and not is_loopback(settings.host):
        raise SettingsError(
            f"FIRSTBELL_HOST is {settings.host}: without TLS everybody on the way could read tokens and answers. Set "
            "FIRSTBELL_TLS_CERT and FIRSTBELL_TLS_KEY; or, where a proxy ends TLS, FIRSTBELL_TRUSTED_PROXY to its "
            "address; or leave FIRSTBELL_HOST at 127.0.0.1."
        )
    return Listening(
        host=settings.host,
        port=port,
        ssl_certfile=None if cert is None else str(cert),
        ssl_keyfile=None if key is None else str(key),
        proxy_headers=False,  # who is connected, not who says to be behind it, is asked below
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class OnlyFromProxy:
    """Answers the proxy and this machine; others are told to go through the proxy."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._near = {settings.trusted_proxy, settings.host}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        peer = (scope.get("client") or ("", 0))[0]
        if scope["type"] == "http" and peer not in self._near and not is_loopback(peer):
            problem = ProblemError(403, "Not this way", "Only the proxy is answered here: ask through it.")
            await problem.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)


def serve(app: ASGIApp, settings: Settings, port: int, *, on_stop: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or Ctrl-C; raises `SettingsError`.

    `on_stop` is called when it is asked to stop, before it waits for answers to end: streams end by it.
    """
    where = listening(settings, port)
    guarded = behind_proxy(app, settings)
    config = uvicorn.Config(guarded, log_config=None, access_log=False, timeout_graceful_shutdown=10, **where)
    server = _Server(config, on_stop)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams first: they would never end by themselves."""
        self._on_stop()
        await super().shutdown(sockets)


def behind_proxy(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application as it is served."""
    return app if settings.trusted_proxy is None else OnlyFromProxy(app, settings)
