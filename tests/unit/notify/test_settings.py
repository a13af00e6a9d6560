from __future__ import annotations

import pytest

from services.notify.settings import NotifySettings
from services.platform.settings import SettingsError


def test_links_lead_to_the_public_url_else_to_casework_on_this_machine() -> None:
    assert (
        NotifySettings(public_url="https://fb.example/", casework_port=1).require_public_url() == "https://fb.example"
    )
    assert NotifySettings(public_url=None, casework_port=8080).require_public_url() == "http://127.0.0.1:8080"
    with pytest.raises(SettingsError, match="FIRSTBELL_PUBLIC_URL"):
        NotifySettings(public_url=None, casework_port=0).require_public_url()


@pytest.mark.parametrize("address", [None, "", "host", ":25", "host:x"])
def test_an_smtp_address_without_host_or_port_is_refused(address: str | None) -> None:
    with pytest.raises(SettingsError, match="FIRSTBELL_SMTP"):
        NotifySettings(smtp=address).require_smtp()


def test_an_smtp_address_is_read() -> None:
    assert NotifySettings(smtp="[::1]:2525").require_smtp() == ("::1", 2525)
