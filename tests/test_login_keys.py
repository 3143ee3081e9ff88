"""The provider's keys: fetched once, again when they change, and kept while it is away."""

import asyncio

import pytest
from joserfc.jwk import ECKey, RSAKey
from login_world import monotonic_ahead

from gateway.login.asking import UnreachableError
from gateway.login.keys import Keys, UnknownKeyError, usable_keys

pytestmark = pytest.mark.anyio


class Source:
    """Answers with keys of the ids that it has, and counts."""

    def __init__(self, *kids: str) -> None:
        self.kids, self.count, self.is_down = list(kids), 0, False
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self):
        self.count += 1
        await asyncio.sleep(0)
        await self.may_answer.wait()
        if self.is_down:
            raise UnreachableError
        return {"keys": [RSA | {"kid": kid} for kid in self.kids]}


RSA = RSAKey.generate_key(2048).as_dict(private=False)


async def kid_of(keys: Keys, kid: str | None) -> str:
    key = await keys.key(kid, algorithm="RS256")
    assert key.kid is not None
    return key.kid


async def test_many_at_once_fetch_once():
    source = Source("first")
    keys = Keys(source)
    found = await asyncio.gather(*(kid_of(keys, "first") for _ in range(50)))

    assert set(found) == {"first"}
    assert source.count == 1


async def test_an_unknown_key_is_fetched_at_most_every_thirty_seconds(monkeypatch):
    source = Source("first")
    keys = Keys(source)
    await kid_of(keys, "first")
    source.kids = ["second"]
    for seconds, count in ((29, 1), (31, 2), (60, 2), (62, 3)):
        monotonic_ahead(monkeypatch, seconds)
        for _ in range(10):
            with pytest.raises(UnknownKeyError):
                await kid_of(keys, "third")
        assert source.count == count
    assert await kid_of(keys, "second") == "second"


async def test_known_keys_go_on_being_used_while_the_provider_is_away(monkeypatch):
    source = Source("first")
    keys = Keys(source)
    await kid_of(keys, "first")
    source.is_down = True
    monotonic_ahead(monkeypatch, 7200)

    assert await kid_of(keys, "first") == "first"
    assert await kid_of(keys, "first") == "first"
    assert source.count == 2  # not asked again at once
    with pytest.raises(UnknownKeyError):
        await kid_of(keys, "second")


async def test_an_answer_without_keys_does_not_take_the_known_ones_away(monkeypatch):
    source = Source("first")
    keys = Keys(source)
    await kid_of(keys, "first")
    source.kids = []
    monotonic_ahead(monkeypatch, 7200)

    assert await kid_of(keys, "first") == "first"


async def test_a_provider_that_hangs_is_not_waited_for(monkeypatch):
    source = Source("first")
    keys = Keys(source)
    await kid_of(keys, "first")
    source.may_answer.clear()
    monkeypatch.setattr("gateway.login.once.PATIENCE_S", 0.01)
    monotonic_ahead(monkeypatch, 7200)

    assert await kid_of(keys, "first") == "first"
    source.kids = ["second"]
    source.may_answer.set()
    await asyncio.sleep(0.01)
    assert await kid_of(keys, "second") == "second"
    assert source.count == 2


async def test_a_withdrawn_key_is_not_believed_after_ten_minutes(monkeypatch):
    source = Source("first", "second")
    keys = Keys(source)
    await kid_of(keys, "first")
    source.kids = ["second"]
    monotonic_ahead(monkeypatch, 601)

    with pytest.raises(UnknownKeyError):
        await kid_of(keys, "first")


async def test_without_any_keys_the_provider_is_asked_again_soon(monkeypatch):
    source = Source("first")
    source.is_down = True
    keys = Keys(source)
    for _ in range(5):
        with pytest.raises(UnreachableError):
            await kid_of(keys, "first")
    assert source.count == 1
    source.is_down = False
    monotonic_ahead(monkeypatch, 3)

    assert await kid_of(keys, "first") == "first"


async def test_a_token_without_a_key_id_is_of_the_only_key():
    assert await kid_of(Keys(Source("first")), None) == "first"
    with pytest.raises(UnknownKeyError):
        await kid_of(Keys(Source("first", "second")), None)


async def test_who_goes_away_does_not_stop_the_fetch_of_the_others():
    source = Source("first")
    keys = Keys(source)
    gone, stays = (asyncio.ensure_future(kid_of(keys, "first")) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()

    assert await stays == "first"
    assert source.count == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"use": "enc"}, id="for encryption"),
        pytest.param({"alg": "RSA-OAEP"}, id="of another algorithm"),
        pytest.param({"kty": "oct", "k": "aHVzaA"}, id="a secret"),
        pytest.param({"kty": ["RSA"]}, id="a kind that is a list"),
        pytest.param({"n": "AQAB"}, id="short"),
        pytest.param({"n": 7}, id="not text"),
        pytest.param({"e": None}, id="half"),
    ],
)
def test_a_key_that_cannot_be_used_does_not_stop_the_others(other):
    keys = usable_keys({"keys": [RSA | other, "x", None, RSA | {"kid": "good"}]})

    assert [key.kid for key in keys] == ["good"]


def test_a_curve_of_another_algorithm_is_no_key():
    assert not usable_keys({"keys": [ECKey.generate_key("P-384").as_dict(private=False)]})


@pytest.mark.parametrize("key_set", [{}, {"keys": None}, {"keys": "x"}, {"keys": []}])
def test_a_set_that_is_none_has_no_keys(key_set):
    assert not usable_keys(key_set)
