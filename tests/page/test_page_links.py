"""Links of all pages lead somewhere; none leads away from the service but those that are listed."""

import re
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx

from gateway.page.routes import FOLDER

STATIC = FOLDER / "static"

PAGES = ("/", "/docs", *(f"/static/{path.name}" for path in sorted(STATIC.glob("*.html"))))

ELSEWHERE: frozenset[str] = frozenset()
"""Addresses of others that a page may name; they are never fetched."""

IMPORTED = re.compile(r'(?:from|import)\s*\(?\s*"(\.[^"]+)"|new URL\("(\.[^"]+)"')
NAMED = re.compile(r'"(/static/[^"$]+)"')
VIEWS = re.compile(r'"(#/[^"]*)"')


class Links(HTMLParser):
    """Addresses in a page, and the ids that they can lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, _: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.ids.add(found.get("id") or "")
        stated = (found.get(name) for name in ("href", "src", "action"))
        self.addresses += [each for each in stated if each and not each.startswith("data:")]


def test_every_link_of_every_page_leads_somewhere(gateway):
    dead, elsewhere = [], set()
    with httpx.Client(base_url=gateway.url, headers=gateway.headers) as http:
        ids = {page: Links(http.get(page).raise_for_status().text).ids for page in PAGES}
        for page in PAGES:
            for address in Links(http.get(page).text).addresses:
                whole, fragment = urldefrag(urljoin(f"{gateway.url}{page}", address))
                if not whole.startswith(gateway.url):
                    elsewhere.add(whole)
                elif not http.get(whole).is_success:
                    dead.append((page, address))
                elif fragment and not fragment.startswith("/"):
                    dead += [] if fragment in ids[urlsplit(whole).path] else [(page, address)]

    assert dead == []
    assert elsewhere == ELSEWHERE


def test_what_modules_name_is_there():
    """Modules and pages of text; a language is a part of some names."""
    missing = []
    for module in STATIC.rglob("*.js"):
        text = module.read_text()
        paths = [module.parent / (a or b) for a, b in IMPORTED.findall(text)]
        paths += [FOLDER / name.removeprefix("/") for name in NAMED.findall(text)]
        missing += [(module.name, path.name) for path in paths if not path.exists()]

    assert missing == []


def test_addresses_of_views_are_those_that_the_page_knows():
    routes = [
        re.compile(pattern.replace("\\/", "/"))
        for pattern in re.findall(r"\[/(\^#.*?\$)/, ", (STATIC / "router.js").read_text())
    ]
    texts = [path.read_text() for path in [*STATIC.rglob("*.js"), FOLDER / "index.html"]]
    named = {view for text in texts for view in VIEWS.findall(text)}

    assert len(routes) == 6
    assert {view for view in named if not any(route.match(view) for route in routes)} == {"#/"}
