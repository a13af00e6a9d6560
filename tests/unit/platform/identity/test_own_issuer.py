"""The issuers that a run has of its own, and what may be said by them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.platform.embedded.issuing import with_issuer
from services.platform.identity import client as client_module
from services.platform.identity.client import SignedRequests
from services.platform.identity.own_issuer import EMBEDDED, Grant, OwnIssuer
from services.platform.identity.trust import embedded_issuer, make_verifier, service_issuer
from services.platform.identity.verifier import InvalidTokenError
from services.platform.settings import Settings, SettingsError
from tests.identity import Identity


def settings_in(folder: Path) -> Settings:
    return Settings(data_dir=folder / "data", kafka=None, database=None, smtp=None)


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secrets" / "issuer.jwk"
    with ThreadPoolExecutor(8) as pool:
        kids = {
            key.kid
            for issuer in pool.map(lambda _: OwnIssuer.load(EMBEDDED, path), range(16))
            for key in issuer.public_keys()
        }
    assert len(kids) == 1
    assert [mode(one) for one in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    assert [entry.name for entry in path.parent.iterdir()] == ["issuer.jwk"]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    embedded_issuer(settings)
    (settings.data_dir / "secrets" / "issuer.jwk").chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        embedded_issuer(settings)


def test_what_is_no_key_is_refused_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "issuer.jwk"
    path.parent.mkdir()
    for text in ("planted", "7", "{}", '{"kty": "EC", "d": "planted"}'):
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(SettingsError, match="Restore") as caught:
            OwnIssuer.load(EMBEDDED, path)
        assert "planted" not in str(caught.value)


def test_only_the_public_part_is_published(tmp_path: Path) -> None:
    settings = with_issuer_in(tmp_path)
    [key] = json.loads(Path(str(settings.oidc_jwks)).read_text())["keys"]
    assert "d" not in key
    assert key["kid"]


async def test_people_and_services_are_told_apart_by_whose_key_it_is(tmp_path: Path) -> None:
    settings = with_issuer_in(tmp_path)
    people, services = embedded_issuer(settings_in(tmp_path)), service_issuer(settings)
    verifier = make_verifier(settings, for_people=True)
    grant = Grant(role="supervisor", subject="p-1", agency="a", schools=["x"], records=["attendance"])
    caller = await verifier.verify(people.sign(grant, seconds=60))
    assert (caller.subject, caller.role, caller.agency) == ("p-1", "supervisor", "a")
    assert (caller.schools, caller.records) == ({"x"}, {"attendance"})
    assert (await verifier.verify(services.sign(Grant(role="service", subject="c"), seconds=60))).role == "service"
    for crossed in (
        people.sign(Grant(role="service", subject="p-1"), seconds=60),
        services.sign(grant, seconds=60),
        OwnIssuer(EMBEDDED, services._key).sign(grant, seconds=60),
    ):
        with pytest.raises(InvalidTokenError):
            await verifier.verify(crossed)


async def test_another_runs_tokens_are_not_believed(tmp_path: Path, identity: Identity) -> None:
    verifier = make_verifier(with_issuer_in(tmp_path), for_people=True)
    with pytest.raises(InvalidTokenError):
        await verifier.verify(identity.issuer.sign(Grant(role="lead", subject="p"), seconds=60))


async def test_a_service_that_no_person_calls_needs_no_issuer_of_people(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    grant = Grant(role="service", subject="c")
    assert await make_verifier(settings, for_people=False).verify(service_issuer(settings).sign(grant, seconds=60))
    with pytest.raises(SettingsError, match="FIRSTBELL_OIDC_ISSUER, FIRSTBELL_OIDC_AUDIENCE, FIRSTBELL_OIDC_JWKS"):
        make_verifier(settings, for_people=True)


def test_half_an_issuer_is_none(tmp_path: Path) -> None:
    half = settings_in(tmp_path).model_copy(update={"oidc_issuer": "https://id.example"})
    for for_people in (True, False):
        with pytest.raises(SettingsError, match="Not set: FIRSTBELL_OIDC_AUDIENCE, FIRSTBELL_OIDC_JWKS"):
            make_verifier(half, for_people=for_people)


@pytest.mark.parametrize("outside", [{"oidc_issuer": "https://id.example"}, {"database": SecretStr("postgresql://x")}])
def test_our_own_issuer_is_not_used_where_an_outside_one_or_database_is(
    tmp_path: Path, outside: dict[str, object]
) -> None:
    settings = settings_in(tmp_path).model_copy(update=outside)
    with pytest.raises(SettingsError):
        embedded_issuer(settings)
    assert not settings.data_dir.exists()


def test_the_issuer_of_the_settings_stays(tmp_path: Path) -> None:
    settings = settings_in(tmp_path).model_copy(update={"oidc_issuer": "https://id.example"})
    assert with_issuer(settings) is settings


def test_keys_that_could_be_changed_on_their_way_are_refused() -> None:
    with pytest.raises(ValueError, match="https"):
        Settings(oidc_jwks="http://id.example/keys")


def test_a_client_signs_anew_before_its_token_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(client_module.time, "monotonic", lambda: now)
    auth = SignedRequests(service_issuer(settings_in(tmp_path)), Grant(role="service", subject="c"))

    def sent() -> str:
        return next(auth.auth_flow(httpx.Request("GET", "http://a"))).headers["Authorization"]

    first = sent()
    assert first.startswith("Bearer ey")
    assert sent() == first
    now += client_module.SECONDS - 1
    assert sent() != first


def with_issuer_in(folder: Path) -> Settings:
    settings = settings_in(folder)
    (settings.data_dir / "run").mkdir(parents=True)
    return with_issuer(settings)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
