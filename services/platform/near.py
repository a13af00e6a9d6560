"""Clients of our own services: no proxy of the environment comes between, and this machine's certificate is known."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import httpx

from services.platform.settings import Settings

_END: Final = "-----END CERTIFICATE-----"


def near_client(
    settings: Settings, *, auth: httpx.Auth | None, timeout: float, base_url: str = ""
) -> httpx.AsyncClient:
    """A client; `timeout` is in seconds. Raises `OSError` when FIRSTBELL_TLS_CERT cannot be read."""
    mounts: dict[str, httpx.AsyncBaseTransport | None] = {}
    if settings.tls_cert is not None:
        here, _, _ = settings.url_here(0).rpartition(":")
        mounts[here] = httpx.AsyncHTTPTransport(verify=_this_machine(settings.tls_cert))
    return httpx.AsyncClient(auth=auth, timeout=timeout, base_url=base_url, trust_env=False, mounts=mounts)


def _this_machine(cert: Path) -> ssl.SSLContext:
    """Trusts that certificate itself, and neither its name, which is not this address, nor whoever signed it."""
    own = cert.read_text(encoding="ascii").partition(_END)[0] + _END
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=own)
    return context
