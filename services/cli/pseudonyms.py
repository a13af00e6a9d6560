"""The key that turns the district's ids into pseudonyms and digests, for commands that are given an id."""

from __future__ import annotations

from services.cli.common import CommandError
from services.ingest.identity.pseudonyms import Pseudonymizer, load_key
from services.ingest.settings import IngestSettings


def pseudonymizer(settings: IngestSettings) -> Pseudonymizer:
    """By the key that there is: a new one would find nobody. Raises `CommandError`, and `SettingsError`."""
    if not settings.key_file.exists():
        raise CommandError(
            f"There is no pseudonym key at {settings.key_file}, so no student can be found by the district's id. "
            "Say where the data is with --data-dir, or where the key is with FIRSTBELL_PSEUDONYM_KEY_FILE."
        )
    return Pseudonymizer(load_key(settings.key_file))
