"""Pages that everybody can use: axe at rest, on focus and on hover, reflow, larger text, and valid HTML."""

from __future__ import annotations

from typing import Any, Literal

import html5lib
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.e2e.browser.conftest import Absence, People

WCAG: dict[str, Any] = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PAGES = {
    "caseworker": ("/", "{case}", "/history", "/account"),
    "steward": ("/steward", "{case}"),
    "operator": ("/operator",),
}
"""By role, the pages that are looked at."""


async def no_violations(page: Page) -> None:
    found = await Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-US"), ("dark", "es-US")])
@pytest.mark.parametrize("role", PAGES)
async def test_axe_finds_nothing(
    people: People, absence: Absence, role: str, scheme: Literal["light", "dark"], locale: str
) -> None:
    async with people.at(role, color_scheme=scheme, locale=locale, bypass_csp=True) as page:
        for path in PAGES[role]:
            await page.goto(people.url + path.format(case=absence.path))
            assert await page.locator("html").get_attribute("lang") == locale[:2]
            await no_violations(page)
            button = page.get_by_role("button").last
            await button.hover()
            await no_violations(page)
            await button.focus()
            await no_violations(page)


async def test_nothing_is_wider_than_a_small_window(people: People, absence: Absence) -> None:
    """320 CSS pixels: also a window of 640 whose text is twice as large."""
    async with people.at("caseworker", viewport={"width": 320, "height": 640}) as page:
        for path in ("/", absence.path, "/history", "/account"):
            await page.goto(people.url + path)
            width = await page.evaluate("() => document.documentElement.scrollWidth")
            assert width <= 320, path


async def test_pages_are_valid_html(people: People, absence: Absence) -> None:
    async with people.at("supervisor") as page:
        for path in ("/", absence.path, "/account", "/history", "/cases/00000000-0000-0000-0000-000000000000"):
            answer = await page.request.get(people.url + path)
            html5lib.HTMLParser(strict=True).parse(await answer.text())
    async with people.context() as context:
        answer = await context.request.get(people.url + "/login")
        html5lib.HTMLParser(strict=True).parse(await answer.text())


async def test_no_page_that_shows_somebody_is_kept(people: People, absence: Absence) -> None:
    async with people.at("caseworker") as page:
        for path in ("/", absence.path, "/account"):
            answer = await page.request.get(people.url + path)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
        await expect(page.get_by_role("contentinfo")).to_contain_text("34 CFR 99.33")


async def test_an_operator_sees_the_stream_and_no_student(people: People, absence: Absence) -> None:
    async with people.at("operator") as page:
        await expect(page.get_by_role("heading", name="Operation")).to_be_visible()
        await expect(page.get_by_role("cell", name="firstbell-casework").first).to_be_visible()
        assert absence.student.id not in await page.content()
        await page.goto(people.url + absence.path)
        await expect(page.get_by_role("heading", name="Not for your role")).to_be_visible()


async def test_the_liaison_s_side_answers_a_referral(people: People, absence: Absence) -> None:
    async with people.at("caseworker", "ann", absence.path) as ann:
        await ann.get_by_label("McKinney-Vento liaison").check()
        await ann.get_by_role("button", name="Refer", exact=True).click()
        await expect(ann.get_by_text("referred the family")).to_be_visible()
    async with people.at("steward", "pat") as pat:
        await expect(pat.get_by_role("heading", name="Erasures, and their proofs")).to_be_visible()
        await pat.get_by_role("link", name=absence.number).click()
        await pat.get_by_role("button", name="Accept referral").click()
        await expect(pat.get_by_text("accepted the referral")).to_be_visible()


async def test_the_history_is_filtered_by_its_address_and_comes_as_csv(people: People, absence: Absence) -> None:
    school = absence.alert["school_id"]
    async with people.at("supervisor", path=f"/history?school={school}&state=new") as page:
        await expect(page.get_by_role("link", name=absence.number)).to_be_visible()
        answer = await page.request.get(f"{people.url}/history.csv?school={school}")
        head, row = (await answer.text()).splitlines()
        assert head.endswith("students,notice")
        assert row.startswith(f"{absence.number},new,watch,{school},")
        assert "34 CFR 99.33" in row
        assert answer.headers["cache-control"] == "no-store"
