"""Where services may listen, and to whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI

from services.platform.embedded.ports import free_port
from services.platform.listening import behind_proxy, listening
from services.platform.near import near_client
from services.platform.processes import poll
from services.platform.settings import Settings, SettingsError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.7", "::1", "localhost"])
def test_on_loopback_nothing_more_is_asked(host: str) -> None:
    assert listening(Settings(host=host), 80)["ssl_certfile"] is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "school.example", ""])
def test_elsewhere_only_with_tls_or_behind_a_proxy(host: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"FIRSTBELL_TLS_CERT and FIRSTBELL_TLS_KEY.*FIRSTBELL_TRUSTED_PROXY"):
        listening(Settings(host=host), 80)
    assert listening(Settings(host=host, trusted_proxy="10.1.2.4"), 80)["host"] == host
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for one in (cert, key):
        one.touch()
    assert listening(Settings(host=host, tls_cert=cert, tls_key=key), 80)["ssl_keyfile"] == str(key)


def test_half_of_tls_is_told(tmp_path: Path) -> None:
    for half in ({"tls_cert": tmp_path}, {"tls_key": tmp_path}):
        with pytest.raises(SettingsError, match="belong together"):
            listening(Settings(**half), 80)
    with pytest.raises(SettingsError, match="FIRSTBELL_TLS_CERT names no file"):
        listening(Settings(tls_cert=tmp_path / "none", tls_key=tmp_path / "none"), 80)


def test_a_proxy_is_an_address() -> None:
    with pytest.raises(ValueError, match="trusted_proxy"):
        Settings(trusted_proxy="everybody")


@pytest.mark.parametrize(
    ("peer", "status"),
    [("10.1.2.4", 200), ("127.0.0.1", 200), ("::1", 200), ("10.1.2.3", 200), ("10.1.2.5", 403), ("8.8.8.8", 403)],
)
async def test_behind_a_proxy_nobody_else_is_answered(peer: str, status: int) -> None:
    settings = Settings(host="10.1.2.3", trusted_proxy="10.1.2.4")
    transport = httpx.ASGITransport(behind_proxy(hello(), settings), client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        answer = await client.get("/", headers={"X-Forwarded-For": "10.1.2.4"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:7"), ("0.0.0.0", "http://127.0.0.1:7"), ("::", "http://[::1]:7")]
)
def test_services_of_one_machine_find_each_other(host: str, url: str) -> None:
    assert Settings(host=host).url_here(7) == url


async def test_with_tls_services_of_one_machine_know_each_other_by_the_certificate(tmp_path: Path) -> None:
    settings = certified(tmp_path / "own")
    port = free_port(taken=set())
    server = uvicorn.Server(uvicorn.Config(hello(), log_config=None, lifespan="off", **listening(settings, port)))
    task = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    try:
        assert await poll(started, deadline=10)
        assert settings.url_here(port) == f"https://127.0.0.1:{port}"
        async with near_client(settings, auth=None, timeout=5, base_url=settings.url_here(port)) as client:
            assert (await client.get("/")).json() == {"hello": "there"}
        for stranger in (certified(tmp_path / "other"), Settings()):
            async with near_client(stranger, auth=None, timeout=5, base_url=settings.url_here(port)) as client:
                with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                    await client.get("/")
    finally:
        server.should_exit = True
        await task


def hello() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def say() -> dict[str, str]:
        return {"hello": "there"}

    return app


def certified(folder: Path) -> Settings:
    folder.mkdir()
    cert, key = folder / "cert.pem", folder / "key.pem"
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "school.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(private, hashes.SHA256())
    )
    cert.write_bytes(certificate.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Settings(tls_cert=cert, tls_key=key)
