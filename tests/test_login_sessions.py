"""Sessions on the server: how long they last, how many there are, how tokens are refreshed."""

import asyncio

import pytest
from login_world import monotonic_ahead

from gateway.login.asking import RefusedError, UnreachableError, UntrustedError
from gateway.login.oidc import Identity, Tokens
from gateway.login.sessions import Sessions
from gateway.settings import Stay

pytestmark = pytest.mark.anyio

ADA = Identity("ada", "Ada L")


class Provider:
    """Refreshes tokens as it is told, and counts."""

    def __init__(self) -> None:
        self.count, self.error, self.may_answer = 0, None, asyncio.Event()
        self.may_answer.set()

    async def __call__(self, tokens: Tokens, _subject: str) -> Tokens:
        self.count += 1
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return Tokens("new", "new", tokens.id_token, tokens.renew_at + 1e9)


def tokens(renew_at: float = 1e12) -> Tokens:
    return Tokens("access", "refresh", "id", renew_at)


def sessions(provider: Provider, *, count: int = 100) -> Sessions:
    return Sessions(Stay(idle_s=3600, whole_s=86400, sessions=count), provider)


async def test_a_session_ends_an_hour_after_the_last_request(monkeypatch):
    held = sessions(Provider())
    text = held.begin(ADA, tokens())
    for seconds in (3500, 7000, 10500):
        monotonic_ahead(monkeypatch, seconds)
        assert await held.current(text)
    monotonic_ahead(monkeypatch, 10500 + 3601)

    assert await held.current(text) is None
    assert len(held) == 0


async def test_a_session_ends_a_day_after_the_login(monkeypatch):
    held = sessions(Provider())
    text = held.begin(ADA, tokens())
    for seconds in range(0, 86400, 3000):
        monotonic_ahead(monkeypatch, seconds)
        assert await held.current(text)
    monotonic_ahead(monkeypatch, 86401)

    assert await held.current(text) is None


async def test_ids_are_of_256_bits_and_only_their_digests_are_kept():
    held = sessions(Provider())
    ids = {held.begin(Identity(str(n), ""), tokens()) for n in range(50)}

    assert len(ids) == 50
    assert {len(each) for each in ids} == {43}
    assert not [each for each in ids if each in repr(vars(held))]


async def test_reprs_show_no_token_and_no_name():
    text = repr(await_session := sessions(Provider())) + repr(tokens())
    identifier = await_session.begin(ADA, tokens())
    text += repr(await await_session.current(identifier))

    assert not [each for each in ("access", "refresh=", "Ada L") if each in text.lower()]


async def test_the_session_that_was_seen_longest_ago_gives_way():
    held = sessions(Provider(), count=3)
    ids = [held.begin(Identity(str(n), ""), tokens()) for n in range(3)]
    await held.current(ids[0])
    held.begin(ADA, tokens())

    alive = [await held.current(each) is not None for each in ids]
    assert alive == [True, False, True]


async def test_one_person_cannot_push_out_the_others():
    held = sessions(Provider(), count=40)
    other = held.begin(Identity("grace", ""), tokens())
    ids = [held.begin(ADA, tokens()) for _ in range(200)]

    assert await held.current(other)
    assert len(held) == 17
    assert await held.current(ids[-1])


async def test_many_requests_refresh_once():
    provider = Provider()
    provider.may_answer.clear()
    held = sessions(provider)
    text = held.begin(ADA, tokens(renew_at=0))
    requests = [asyncio.ensure_future(held.current(text)) for _ in range(50)]
    await asyncio.sleep(0)
    requests[0].cancel()  # the one that has begun it goes away
    provider.may_answer.set()
    found = await asyncio.gather(*requests[1:])

    assert provider.count == 1
    assert {session.tokens.access for session in found} == {"new"}


async def test_a_provider_that_is_away_is_asked_again_after_half_a_minute(monkeypatch):
    provider = Provider()
    provider.error = UnreachableError()
    held = sessions(provider)
    text = held.begin(ADA, tokens(renew_at=0))
    for seconds, count in ((0, 1), (29, 1), (31, 2)):
        monotonic_ahead(monkeypatch, seconds)
        assert await held.current(text)
        assert provider.count == count


@pytest.mark.parametrize("error", [RefusedError("invalid_grant"), UntrustedError("another")])
async def test_a_provider_that_says_no_ends_the_session_for_all_who_wait(error):
    provider = Provider()
    provider.error = error
    held = sessions(provider)
    text = held.begin(ADA, tokens(renew_at=0))

    assert await asyncio.gather(*(held.current(text) for _ in range(5))) == [None] * 5
    assert provider.count == 1


async def test_a_logout_during_a_refresh_is_one():
    provider = Provider()
    provider.may_answer.clear()
    held = sessions(provider)
    text = held.begin(ADA, tokens(renew_at=0))
    request = asyncio.ensure_future(held.current(text))
    await asyncio.sleep(0)
    assert held.end(text)
    provider.may_answer.set()

    assert await request is None
    assert await held.current(text) is None
