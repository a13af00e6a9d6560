"""One Chromium for all tests of the console, on the one system of the folder above."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.e2e.browser.chromium import REQUIRED, NoBrowserError, find_chromium
from tests.e2e.districts import WEEK
from tests.e2e.schools import School, Student
from tests.e2e.system import System

SECONDS = 15_000


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium without a window."""
    try:
        program = find_chromium()
    except NoBrowserError as error:
        if os.environ.get(REQUIRED):
            pytest.fail(str(error))
        pytest.skip(str(error))
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        await chromium.close()


class People:
    """People at their browsers, each with one of their own."""

    def __init__(self, browser: Browser, system: System) -> None:
        self._browser = browser
        self._system = system
        self.url: str = system.where["console"]

    @asynccontextmanager
    async def context(self, **options: Any) -> AsyncIterator[BrowserContext]:
        """A browser of its own; what a page complains of fails the test."""
        context = await self._browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(SECONDS)
        wrong: list[str] = []
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        try:
            yield context
        finally:
            await context.close()
        assert wrong == []

    @asynccontextmanager
    async def at(self, role: str, subject: str | None = None, path: str = "/", **options: Any) -> AsyncIterator[Page]:
        """Somebody who is signed in, at a page."""
        token = self._system.bearer(role, "--subject", subject or uuid4().hex[:8])["Authorization"].split()[1]
        async with self.context(**options) as context:
            page = await context.new_page()
            await page.goto(f"{self.url}/login?token={token}&next={path}")
            yield page


@pytest.fixture
def people(browser: Browser, system: System) -> People:
    return People(browser, system)


class Absence(NamedTuple):
    """A student who was absent three days, and the alert of it."""

    student: Student
    alert: dict[str, Any]

    @property
    def path(self) -> str:
        """The case's page, as a mail links to it."""
        return f"/cases/{self.alert['id']}"

    @property
    def number(self) -> str:
        return str(self.alert["case_number"])


@pytest.fixture
def absence(school: School) -> Absence:
    student = school.student()
    school.absent(student, *WEEK[:3])
    return Absence(student, school.the_alert(level="watch", status="open"))
