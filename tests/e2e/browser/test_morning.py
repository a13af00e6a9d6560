"""A caseworker's morning, from the mail's link to the closed case."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser.conftest import Absence, People
from tests.e2e.districts import CONSENT
from tests.e2e.schools import School

FORM = "form[data-draft='{}']"


async def test_from_the_link_in_a_mail_to_the_closed_case(people: People, absence: Absence) -> None:
    async with people.context() as context:
        page = await context.new_page()
        await page.goto(people.url + absence.path)
        await page.get_by_role("button", name="Caseworker").click()
        await expect(page.get_by_role("heading", name=absence.number)).to_be_visible()
        await expect(page.get_by_text(absence.student.id).first).to_be_visible()

        await page.get_by_role("button", name="Take", exact=True).click()
        await expect(page.get_by_text("took the case")).to_be_visible()
        await page.get_by_label("Reached", exact=True).check()
        await page.locator(FORM.format("contact")).get_by_label("Note").fill("They stay with an aunt.")
        await page.get_by_role("button", name="Log contact").click()
        await expect(page.get_by_text("They stay with an aunt.")).to_be_visible()
        await page.get_by_label("Helped", exact=True).check()
        await page.get_by_role("button", name="Close case").click()
        await expect(page.get_by_text("closed the case")).to_be_visible()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("button", name="Close case")).to_be_visible()


async def test_without_javascript_everything_works(people: People, absence: Absence) -> None:
    async with people.at("caseworker", java_script_enabled=False) as page:
        await page.goto(f"{people.url}/?school={absence.alert['school_id']}")
        row = page.get_by_role("row").filter(has_text=absence.number)
        await row.get_by_role("button", name="Take").click()
        assert page.url.endswith("said=take")
        await expect(page.get_by_role("status")).to_have_text("You have the case now.")
        await page.goto(people.url + absence.path)
        await page.get_by_label("Reason").fill("On holiday until Monday")
        await page.get_by_label("Until it gets worse").check()
        await page.get_by_role("button", name="Snooze").click()
        await expect(page.get_by_text("On holiday until Monday")).to_be_visible()


async def test_of_two_at_one_case_the_second_is_told_who_has_it_and_keeps_what_was_written(
    people: People, absence: Absence
) -> None:
    async with (
        people.at("caseworker", "ann", absence.path) as ann,
        people.at("caseworker", "bob", absence.path, java_script_enabled=False) as bob,
    ):
        await ann.get_by_role("button", name="Take", exact=True).click()
        await expect(ann.get_by_text("took the case")).to_be_visible()
        await bob.get_by_label("Not reached").check()
        await bob.locator(FORM.format("contact")).get_by_label("Note").fill("A draft of mine")
        await bob.get_by_role("button", name="Log contact").click()
        await expect(bob.get_by_role("alert")).to_contain_text("ann has the case")
        assert "A draft of mine" in await bob.content()


async def test_an_open_queue_offers_what_is_new_and_moves_nothing(people: People, school: School) -> None:
    async with people.at("caseworker", path=f"/?school={school.id}") as page:
        await expect(page.get_by_text("Nothing here.")).to_be_visible()
        student = school.student()
        school.absent(student, "2016-12-05", "2016-12-06", "2016-12-07")
        await expect(page.get_by_role("button", name="Show new")).to_be_visible()
        await expect(page.get_by_text("Nothing here.")).to_be_visible()
        await page.get_by_role("button", name="Show new").click()
        await expect(page.get_by_text(student.id)).to_be_visible()


async def hide(page: Page) -> None:
    """The page as in a tab that is not looked at."""
    await page.evaluate(
        "() => { Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )


async def show(page: Page) -> None:
    await page.evaluate(
        "() => { Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_withdrawn_consent_blanks_an_open_page(
    people: People, absence: Absence, ingest: httpx.Client, *, hidden: bool
) -> None:
    async with people.at("caseworker", path=absence.path) as page:
        await expect(page.get_by_text(absence.student.id).first).to_be_visible()
        if hidden:
            await hide(page)
            assert absence.student.id not in await page.content()
        gone: dict[str, Any] = {**CONSENT, "student_id": absence.student.id, "revoked_on": "2017-01-09"}
        assert (await asyncio.to_thread(ingest.post, "/v1/consents", json=[gone])).is_success
        await expect(page.get_by_text(absence.student.id)).to_have_count(0, timeout=1_000)
        assert absence.student.id not in await page.content()
        if hidden:
            await show(page)
            await expect(page.get_by_text("may not be shown any more")).to_be_visible()
            assert absence.student.id not in await page.content()


async def test_what_was_shown_does_not_come_back_after_signing_out(people: People, absence: Absence) -> None:
    async with people.at("caseworker", path=absence.path) as page:
        await expect(page.get_by_text(absence.student.id).first).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        await page.go_back()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert absence.student.id not in await page.content()


async def test_by_keyboard_alone_a_case_is_taken(people: People, absence: Absence) -> None:
    async with people.at("caseworker", path=f"/?school={absence.alert['school_id']}") as page:
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name=absence.number)).to_be_visible()
        take = page.get_by_role("button", name="Take", exact=True)
        for _ in range(60):
            if await take.evaluate("one => one === document.activeElement"):
                break
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("took the case")).to_be_visible()
