"""Casework's settings."""

from __future__ import annotations

from services.platform.settings import Settings


class CaseworkSettings(Settings):
    """Read from `FIRSTBELL_…`, as every service's."""

    warning_urls: str = ""
    """Base URLs of the warning workers, separated by commas; empty means the one on this machine's `warning_port`."""

    @property
    def workers(self) -> tuple[str, ...]:
        """The workers' base URLs without a trailing slash; a student's window is asked of each."""
        urls = (url.strip().rstrip("/") for url in self.warning_urls.split(","))
        named = tuple(url for url in urls if url)
        return named if named or self.warning_port == 0 else (f"http://127.0.0.1:{self.warning_port}",)
