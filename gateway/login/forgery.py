"""Requests that another site makes a browser send: refused where a cookie would answer for them.

The page's `Referrer-Policy: no-referrer` makes browsers send `Origin: null` with forms, so
Sec-Fetch-Site decides where it is sent at all (https and loopback, all browsers since 2023).
"""

from starlette.datastructures import Headers

from gateway.problems import ProblemError

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

DATA_PATHS = ("/api", "/v2")


def check_same_origin(headers: Headers, *, method: str, path: str, origin: str) -> None:
    """Refuse with 403 `cross_site` what does not come from the gateway's own page.

    For requests whose credential is a cookie. origin: the gateway's, as the browser sees it.
    """
    sites = headers.getlist("sec-fetch-site")
    if method in SAFE_METHODS:
        is_refused = _is_data(path) and _is_foreign_part(headers, sites)
    elif sites:
        is_refused = sites != ["same-origin"]
    else:
        is_refused = headers.getlist("origin") != [origin]
    if is_refused:
        raise ProblemError(
            403,
            "cross_site",
            "this request does not come from the gateway's own page; "
            "programs send an access token instead of a cookie",
        )


def _is_data(path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in DATA_PATHS)


def _is_foreign_part(headers: Headers, sites: list[str]) -> bool:
    """Return whether another site's page embeds or fetches it; a person following a link may."""
    is_foreign = any(site not in ("same-origin", "none") for site in sites)
    return is_foreign and headers.getlist("sec-fetch-mode") != ["navigate"]
