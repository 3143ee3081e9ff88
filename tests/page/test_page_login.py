"""The page between a login and the next one, with a real OpenID provider."""

import re

import pytest
from login_world import oidc_settings
from login_world import served as served_by_uvicorn
from studies import wait_for, zip_file


@pytest.fixture
def page(browser, provider, server):
    """The page, opened by somebody who has logged in."""
    settings = oidc_settings(provider, GATEWAY_TRITON_URLS=server.http_url)
    with served_by_uvicorn(settings):
        context = browser.new_context()
        page = context.new_page()
        complaints = []
        page.on("console", lambda message: complaints.append(message))
        page.goto(provider.gateway_url)
        log_in(page)
        page.locator("#model option[value=ct3dcnn]").wait_for(state="attached")
        yield page
        context.close()
    ours = [each for each in complaints if each.location["url"].startswith(provider.gateway_url)]
    texts = [each.text for each in ours]
    assert [text for text in texts if not text.startswith("Failed to load resource")] == []


def log_in(page):
    page.fill("input[name=login]", "ada")
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.click("button[type=submit]")  # agrees


def test_who_is_logged_in_is_named_and_can_log_out(page, provider):
    assert page.url == f"{provider.gateway_url}/"
    page.get_by_text("Logged in as ada of the tests", exact=True).wait_for()

    page.get_by_role("button", name="Log out").click()

    page.wait_for_url(re.compile(re.escape(provider.issuer)))


def test_a_list_goes_on_by_itself_after_a_login_in_a_new_tab(page, drop, tmp_path):
    page.context.clear_cookies()
    drop(*(zip_file(tmp_path, f"{n}.zip", PatientID=str(n)) for n in range(3)))
    page.locator("#notices", has_text="You are not logged in.").wait_for()

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in in a new tab").click()
    log_in(opened.value)
    opened.value.get_by_text("Logged in as ada of the tests", exact=True).wait_for()
    opened.value.close()
    page.evaluate("() => dispatchEvent(new Event('focus'))")

    for n in range(3):
        wait_for(page, f"{n}.zip", "done")


def test_a_login_here_comes_back_and_says_that_files_are_gone(page, drop, tmp_path):
    page.context.clear_cookies()
    drop(zip_file(tmp_path, "one.zip"))
    wait_for(page, "one.zip", "failed")

    page.get_by_role("link", name="log in here", exact=True).click()
    log_in(page)

    page.get_by_text("Files that were dropped before must be dropped again").wait_for()
    assert page.locator(".study").count() == 0
