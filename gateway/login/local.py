"""The mode `local`: one person at this machine, let in by a token in the URL that is printed."""

from urllib.parse import urlencode, urlsplit

from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from gateway.addresses import is_loopback
from gateway.login.attempts import local_path
from gateway.login.bearer import invalid_token
from gateway.login.cookies import local_cookie
from gateway.login.opaque import is_same, new_text
from gateway.login.principal import Principal
from gateway.login.ways import hosts_of
from gateway.problems import ProblemError
from gateway.settings import Settings

PARAMETER = "token"

HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""Any other name that leads here is a foreign one: DNS rebinding."""


class LocalWay:
    """The token of the printed URL, and the cookie that it is exchanged for.

    Cookies of loopback go to servers on all its ports: so the cookie is not the token, and it
    changes with every start and every logout.
    """

    def __init__(self, settings: Settings) -> None:
        self._token = settings.token
        self._cookie_text = new_text()
        self.cookie = local_cookie(settings)
        ports = {settings.port}
        if is_loopback(urlsplit(settings.public_url).hostname or ""):
            ports.add(urlsplit(settings.public_url).port or 80)  # a tunnel's, on another port
        self.hosts = frozenset(
            host for name in HOSTS for port in ports for host in hosts_of(f"http://{name}:{port}")
        )

    async def of_bearer(self, text: str) -> Principal:
        """Return the person at this machine for the token; raises ProblemError."""
        if not is_same(text, str(self._token)):
            raise invalid_token("this is not the token of the printed URL")
        return Principal("local", "bearer")

    async def of_cookie(self, text: str) -> Principal | None:
        """Return the person at this machine for the cookie of this start."""
        return Principal("local", "local") if is_same(text, self._cookie_text) else None

    def exchanged(self, path: str, query: QueryParams) -> Response:
        """Return a redirect to the same address without the token, with the cookie set.

        Raises ProblemError if it is another token.
        """
        if not all(is_same(text, str(self._token)) for text in query.getlist(PARAMETER)):
            raise ProblemError(
                401, "not_logged_in", "open the URL that the gateway printed when it was started"
            )
        rest = urlencode([(key, text) for key, text in query.multi_items() if key != PARAMETER])
        response = RedirectResponse(local_path(path + (f"?{rest}" if rest else "")), 303)
        self.cookie.put(response, self._cookie_text)
        return response

    def log_out(self) -> None:
        """Make every cookie that was given worthless."""
        self._cookie_text = new_text()
