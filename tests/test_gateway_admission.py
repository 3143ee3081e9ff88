"""Places and turns: bounded, fair between users, and always given back."""

import asyncio
from dataclasses import replace

import pytest
from test_gateway_region import BOUNDS

from gateway.problems import ProblemError
from gateway.uploads.admission import Admission

WIDE = replace(BOUNDS, at_work=1, waiting=20, of_one_user=20)


def test_a_user_has_so_many_places_and_others_have_theirs():
    admission = Admission(replace(BOUNDS, at_work=2, waiting=3, of_one_user=2))
    places = [admission.place("a"), admission.place("a")]

    with pytest.raises(ProblemError) as refused:
        admission.place("a")
    assert (refused.value.status, refused.value.code) == (429, "too_many_of_yours")
    assert int(refused.value.headers["Retry-After"]) >= 1

    admission.place("b")
    places[0].leave()
    admission.place("a")


def test_beyond_all_places_everybody_is_refused():
    admission = Admission(replace(BOUNDS, at_work=1, waiting=1, of_one_user=5))
    first, _ = admission.place("a"), admission.place("b")

    with pytest.raises(ProblemError) as refused:
        admission.place("c")
    assert (refused.value.status, refused.value.code) == (503, "queue_full")
    assert int(refused.value.headers["Retry-After"]) >= 1

    first.leave()
    admission.place("c")


def test_a_place_is_given_back_once():
    admission = Admission(WIDE)
    first, _ = admission.place("a"), admission.place("a")

    first.leave()
    first.leave()

    assert admission.places == 1


def test_retry_after_follows_the_measured_seconds():
    admission = Admission(replace(BOUNDS, at_work=2))
    admission.seconds = 6.0

    assert admission.retry_seconds(behind=5) == 15
    assert admission.retry_seconds(behind=0) == 1
    assert admission.retry_seconds(behind=5000) == 120


def turns_of(users):
    """The order in which studies of users get their turns, with one at work at a time."""
    served = []

    async def study(admission, user):
        place = admission.place(user)
        await place.turn()
        served.append(user)
        await asyncio.sleep(0)
        place.leave()
        place.end_turn(answered=True)

    async def all_of_them():
        admission = Admission(WIDE)
        async with asyncio.TaskGroup() as group:
            for user in users:
                group.create_task(study(admission, user))
        assert (admission.places, admission.at_work) == (0, 0)

    asyncio.run(all_of_them())
    return "".join(served)


def test_who_sends_many_does_not_keep_others_waiting():
    assert turns_of("aaaaabc") == "aabcaaa"
    assert turns_of("aaabbb") == "aababb"


def test_the_user_with_the_fewest_at_work_is_next():
    async def scenario():
        admission = Admission(replace(WIDE, at_work=3))
        places = [admission.place(user) for user in "aab"]
        for place in places:
            await place.turn()
        later = {user: admission.place(user) for user in "abc"}
        order = []

        async def wait(user):
            await later[user].turn()
            order.append(user)

        waits = [asyncio.create_task(wait(user)) for user in "abc"]
        await asyncio.sleep(0)
        for place in places:
            place.end_turn(answered=True)
            await asyncio.sleep(0.01)
        await asyncio.gather(*waits)
        return order

    # After an a has left: a has 1 at work, b has 1, c none.
    assert asyncio.run(scenario())[0] == "c"


def test_who_stops_waiting_leaves_the_queue():
    async def scenario():
        admission = Admission(WIDE)
        at_work = admission.place("a")
        await at_work.turn()
        gone, patient = admission.place("a"), admission.place("b")
        waiting = asyncio.create_task(gone.turn())
        turn = asyncio.create_task(patient.turn())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        gone.leave()
        at_work.leave()
        assert admission.places == 2  # a place that is left at work is there until it ends
        at_work.end_turn(answered=False)
        await turn
        assert (admission.places, admission.at_work) == (1, 1)

    asyncio.run(scenario())


def test_a_turn_that_comes_as_its_study_is_cancelled_goes_to_the_next_one():
    async def scenario():
        admission = Admission(WIDE)
        at_work = admission.place("a")
        await at_work.turn()
        gone, patient = admission.place("a"), admission.place("b")
        waiting = asyncio.create_task(gone.turn())
        turn = asyncio.create_task(patient.turn())
        await asyncio.sleep(0)
        at_work.end_turn(answered=True)  # gives gone its turn, which it has not noticed yet
        waiting.cancel()
        await asyncio.wait({waiting})
        await asyncio.wait_for(turn, 1)
        assert admission.at_work == 1

    asyncio.run(scenario())


def test_the_seconds_of_a_study_follow_what_is_measured():
    admission = Admission(WIDE)
    admission.seconds = 1.0

    async def turn(seconds):
        await admission.turn("a")
        admission.end("a", seconds)

    asyncio.run(turn(11.0))
    assert admission.seconds == pytest.approx(2.0)  # a tenth of the way
    asyncio.run(turn(None))
    assert admission.seconds == pytest.approx(2.0)
