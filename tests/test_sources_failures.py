"""What a server's refusal, silence or nonsense is to whoever asked."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sources_world import a_region
from starlette.datastructures import Secret

from gateway.sources.asking import ANSWER_BYTES, source_http
from gateway.sources.credential import ACCESS, CAPABILITY, NO_CREDENTIAL, Credential
from gateway.sources.kheops.source import Kheops
from gateway.sources.problems import STATUSES, problem_of
from gateway.sources.queries import Query
from gateway.sources.source import SourceError

pytestmark = pytest.mark.anyio

ALBUM = "37bs6GW5cR"

LOGIN = Credential(ACCESS, Secret("a.b.c"))
TOKEN = Credential(CAPABILITY, Secret("A" * 22))

ALL = Query(search="", modality="", sort="", limit=50, offset=0)


def kheops_that(answer):
    """A Kheops whose every answer is that of a function, or an error."""

    def handle(request):
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    http = source_http()
    http._transport = httpx.MockTransport(handle)
    return Kheops("https://kheops.example", http)


async def error_of(answer, credential=TOKEN):
    with pytest.raises(SourceError) as caught:
        await kheops_that(answer).studies(credential, album=ALBUM, query=ALL)
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "temporary", "words"),
    [
        (301, "source_failed", True, "ask who runs it"),
        (400, "bad_query", False, "change it"),
        (401, "source_refused", False, "log out and in again"),
        (403, "source_refused", False, "does not let"),
        (404, "source_empty", False, "ask its owner"),
        (409, "source_failed", True, "try again"),
        (429, "source_unreachable", True, "too much to do"),
        (500, "source_failed", True, "cannot check"),
        (502, "source_failed", True, "its images"),
        (503, "source_unreachable", True, "try again in a minute"),
        (504, "source_failed", True, "took too long"),
    ],
)
async def test_every_status_has_a_sentence_that_says_what_to_do(status, code, temporary, words):
    error = await error_of(httpx.Response(status))

    assert (error.code, error.temporary) == (code, temporary)
    assert words in error.sentence
    assert error.sentence.startswith("Kheops")


@pytest.mark.parametrize(
    "silence",
    [
        httpx.ConnectError("kheops.example"),
        httpx.ConnectTimeout("kheops.example"),
        httpx.ReadTimeout("kheops.example"),
        httpx.PoolTimeout("kheops.example"),
        httpx.RemoteProtocolError("kheops.example"),
    ],
)
async def test_silence_is_temporary(silence):
    error = await error_of(silence)

    assert (error.code, error.temporary) == ("source_unreachable", True)


@pytest.mark.parametrize(
    "content",
    [b"<html>We are back soon</html>", b"", b"\xff", b"[" * 100_000, b"{", b'"x'],
)
async def test_what_is_no_json_is_a_failure(content):
    error = await error_of(httpx.Response(200, content=content))

    assert (error.code, error.temporary) == ("source_failed", True)


@pytest.mark.parametrize("content", [b"{}", b"null", b"[1, [], null]", b'[{"0020000D": 7}]'])
async def test_json_of_another_shape_has_no_studies(content):
    page = await kheops_that(httpx.Response(200, content=content)).studies(
        TOKEN, album=ALBUM, query=ALL
    )

    assert page.found == []


async def test_half_a_character_does_not_stop_the_rest():
    content = b'[{"0020000D": {"Value": ["1.2"]}, "00100020": {"Value": ["P\\ud800"]}}]'
    page = await kheops_that(httpx.Response(200, content=content)).studies(
        TOKEN, album=ALBUM, query=ALL
    )

    assert [study.patient_id for study in page.found] == ["P?"]


async def test_an_answer_without_an_end_is_left():
    async def without_end():
        while True:
            yield bytes(1 << 20)

    error = await error_of(lambda _: httpx.Response(200, content=without_end()))

    assert error.code == "source_failed"
    assert ANSWER_BYTES < 64 << 20


async def test_nobody_is_led_elsewhere():
    asked = []

    def lead(request):
        asked.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://elsewhere.example/"})

    await error_of(lead)

    assert asked == ["kheops.example"]


async def test_a_cookie_of_one_user_is_not_sent_for_another():
    cookies = []

    def remember(request):
        cookies.append(request.headers.get("cookie"))
        return httpx.Response(204, headers={"Set-Cookie": "session=of-ada; Path=/"})

    kheops = kheops_that(remember)
    for _ in range(2):
        await kheops.studies(TOKEN, album=ALBUM, query=ALL)

    assert cookies == [None, None]


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [("7", 7.0), ("999999", 3600.0), ("Thu, 26 Nov 2026 04:00:00 GMT", None), ("-1", None)],
)
async def test_kheops_may_say_when_to_come_again(stated, seconds):
    error = await error_of(httpx.Response(503, headers={"Retry-After": stated}))

    assert error.retry_after_s == seconds


async def test_without_a_token_kheops_is_not_asked():
    error = await error_of(AssertionError("asked"), NO_CREDENTIAL)

    assert error.code == "source_refused"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "source_refused"),
        (401, "source_refused"),
        (500, "not_registered"),
        (502, "source_failed"),
    ],
)
async def test_a_registration_that_fails_says_why(status, code):
    """Everything else is 401: the user is not known."""
    error = await error_of(
        lambda request: httpx.Response(status if request.url.path == "/api/register" else 401),
        LOGIN,
    )

    assert error.code == code


async def test_a_token_for_a_job_that_has_another_form_is_not_taken():
    made = {"id": "../x", "access_token": "A" * 22}
    kheops = kheops_that(httpx.Response(201, json=made))

    with pytest.raises(SourceError, match="^source_failed"):
        await kheops.for_job(LOGIN, ALBUM)


async def test_a_page_instead_of_a_zip_is_no_study():
    def answer(request):
        if request.url.path.endswith("/series"):
            return httpx.Response(200, json=[{"0020000E": {"Value": ["1.2.3"]}}])
        if request.url.path == "/api/token":
            return httpx.Response(200, json={"access_token": "a.b.c.d.e"})
        return httpx.Response(200, content=b"<html>We are back soon</html>")

    with a_region() as region, pytest.raises(SourceError, match="^source_failed"):
        await kheops_that(answer).retrieve(TOKEN, album=ALBUM, study_uid="1.2", region=region)


@pytest.mark.parametrize("code", sorted(STATUSES))
def test_every_code_is_a_status(code):
    problem = problem_of(SourceError(code, "why"))

    assert (problem.status, problem.code, problem.headers) == (STATUSES[code], code, {})


def test_what_is_temporary_says_when_to_come_again():
    soon = SourceError("source_unreachable", "away", temporary=True)
    later = SourceError("source_unreachable", "away", temporary=True, retry_after_s=77.0)

    assert problem_of(soon).headers == {"Retry-After": "5"}
    assert problem_of(later).headers == {"Retry-After": "77"}


async def test_a_token_of_a_job_ends_by_itself():
    """Kheops takes an end with an offset (ISO 8601), and gives three months without one."""
    forms = []

    def mint(request):
        forms.append(dict(httpx.QueryParams(request.content.decode())))
        return httpx.Response(201, json={"id": "x" * 10, "access_token": "A" * 22})

    made = await kheops_that(mint).for_job(LOGIN, None)

    assert made.expires_at is not None
    assert made.expires_at < datetime.now(UTC) + timedelta(days=2, seconds=1)
    stated = datetime.fromisoformat(forms[0]["expiration_time"])
    assert stated == made.expires_at.replace(microsecond=0)
    assert "A" * 22 not in repr(made)
