"""The login in a real browser: redirects, cookies and policies are what it makes of them."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from login_world import LOCAL_TOKEN, local_settings, oidc_settings, served
from playwright.sync_api import expect, sync_playwright
from starlette.responses import RedirectResponse
from starlette.routing import Route

from tools.engine.ports import free_ports

CHROMIUM = Path("/usr/bin/chromium")

ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)

LOG_OUT = """() => {
    const form = document.createElement('form');
    form.method = 'post';
    form.action = '/logout';
    document.body.append(form);
    form.submit();
}"""
"""What the page's button does."""


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    yield page
    context.close()


def log_in(page, url):
    page.goto(url)
    page.fill("input[name=login]", "ada")
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.click("button[type=submit]")  # agrees


def test_a_person_logs_in_comes_back_and_logs_out(page, provider):
    with served(oidc_settings(provider)):
        log_in(page, f"{provider.gateway_url}/docs?chapter=2")
        expect(page).to_have_url(f"{provider.gateway_url}/docs?chapter=2")
        session = page.evaluate("() => fetch('/api/session').then((answer) => answer.json())")
        assert session["name"] == "ada of the tests"
        assert page.evaluate("() => document.cookie") == ""

        page.evaluate(LOG_OUT)
        expect(page).to_have_url(re.compile(re.escape(f"{provider.issuer}/session/end?")))
        page.click("button[name=logout]")
        page.wait_for_url(f"{provider.gateway_url}/login/out*")
        expect(page.get_by_text("You are logged out.")).to_be_visible()
        status = page.evaluate("() => fetch('/api/session').then((answer) => answer.status)")
        assert status == 401
        assert not [each for each in page.complaints if "Content Security Policy" in each]


def test_a_redirect_after_a_form_would_be_stopped_by_the_policy(page, provider):
    """Why a logout leaves for the provider by a page of its own."""

    async def elsewhere(_):
        return RedirectResponse(f"{provider.issuer}/session/end", 303)

    route = Route("/static/elsewhere", elsewhere, methods=["POST"])
    with served(oidc_settings(provider), route):
        page.goto(f"{provider.gateway_url}/login/out")
        with page.expect_console_message(lambda message: "form-action" in message.text):
            page.evaluate(LOG_OUT.replace("/logout", "/static/elsewhere"))
        assert page.url == f"{provider.gateway_url}/login/out"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("localhost", "/login/out", id="another site, whose form has no cookie"),
        pytest.param("127.0.0.1", "/logout", id="another port, whose form has it"),
    ],
)
def test_another_pages_form_logs_nobody_out(page, provider, name, shown):
    with served(oidc_settings(provider)):
        log_in(page, f"{provider.gateway_url}/docs")
        expect(page).to_have_url(f"{provider.gateway_url}/docs")
        page.goto(f"http://{name}:{provider.port}{urlsplit(provider.issuer).path}/jwks")
        with page.expect_navigation(url=f"{provider.gateway_url}{shown}"):
            page.evaluate(LOG_OUT.replace("/logout", f"{provider.gateway_url}/logout"))
        assert ("cross_site" in page.content()) == (shown == "/logout")
        page.goto(f"{provider.gateway_url}/login/out?again")
        status = page.evaluate("() => fetch('/api/session').then((answer) => answer.status)")
        assert status == 200


def test_the_printed_url_opens_the_gateway_and_the_token_leaves_the_address(page):
    (port,) = free_ports(1)
    with served(local_settings(GATEWAY_PORT=str(port))):
        page.goto(f"http://127.0.0.1:{port}/?token={LOCAL_TOKEN}")
        assert page.url == f"http://127.0.0.1:{port}/"
        session = page.evaluate("() => fetch('/api/session').then((answer) => answer.json())")
        assert session["way"] == "local"
        page.evaluate(LOG_OUT)
        page.wait_for_url("**/login/out")
        status = page.evaluate("() => fetch('/api/session').then((answer) => answer.status)")
        assert status == 401
