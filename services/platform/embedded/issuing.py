"""The embedded run's issuer, as its services are told of it."""

from __future__ import annotations

import json
from typing import TypeVar

from services.platform.embedded.data_dir import DataDir
from services.platform.identity.own_issuer import AUDIENCE, EMBEDDED
from services.platform.identity.trust import embedded_issuer
from services.platform.processes import write_atomically
from services.platform.settings import Settings

SettingsT = TypeVar("SettingsT", bound=Settings)


def with_issuer(settings: SettingsT) -> SettingsT:
    """The settings as they are when they name an issuer, else with our own, whose public key is then a file.

    Raises `SettingsError` where our own may not be used.
    """
    if settings.oidc_issuer is not None:
        return settings
    keys = embedded_issuer(settings).public_keys().as_dict(private=False)
    file = DataDir(settings.data_dir).jwks_file
    write_atomically(file, json.dumps(keys))
    named = {"oidc_issuer": EMBEDDED, "oidc_audience": AUDIENCE, "oidc_jwks": str(file)}
    return settings.model_copy(update=named)
