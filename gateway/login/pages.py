"""The small pages around the login: a sentence, and where to go from there."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.login.guard import is_navigation
from gateway.problems import ProblemError, ProblemResponse

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
{head}<title>{title}</title>
<link rel="stylesheet" href="/static/style.css">
</head>
<body>
<header class="top"><div class="inside"><p class="title">Deep features</p></div></header>
<main class="inside prose">
<h1>{title}</h1>
<p>{sentence}</p>
{links}</main>
</body>
</html>
"""


def refusal(request: Request, problem: ProblemError, *, again: str = "/login") -> Response:
    """Return a problem as a page to a person, and as a problem to a program."""
    if not is_navigation(request.method, request.headers):
        return ProblemResponse(problem)
    request.scope["problem_code"] = problem.code
    sentence = f"{problem.sentence[0].upper()}{problem.sentence[1:]}."
    text = _page("Not logged in", sentence, link=(again, "Log in"))
    return HTMLResponse(text, problem.status, problem.headers)


def logged_out(*, again: str) -> Response:
    """Return the page after a logout; again: where to log in, or "" if that is not a link."""
    sentence = "You are logged out." if again else LOCAL_SENTENCE
    return HTMLResponse(_page("Logged out", sentence, link=(again, "Log in again")))


LOCAL_SENTENCE = "To use it again, open the URL that the gateway printed when it was started."


def onward(url: str) -> Response:
    """Return a page that goes on to a URL of the provider by itself.

    Not a redirect: Chromium holds those after a form to form-action (headers.py).
    """
    refresh = f'<meta http-equiv="refresh" content="0; url={escape(url)}">\n'
    text = _page(
        "Logging out",
        "The login service ends your login there too.",
        head=refresh,
        link=(url, "Go on"),
    )
    return HTMLResponse(text)


def _page(title: str, sentence: str, *, link: tuple[str, str], head: str = "") -> str:
    where, words = link
    links = f'<p><a href="{escape(where)}">{escape(words)}</a></p>\n' if where else ""
    return PAGE.format(
        title=escape(title), sentence=escape(sentence, quote=False), links=links, head=head
    )
