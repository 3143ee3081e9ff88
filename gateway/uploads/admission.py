"""Who may send a study now, and whose study goes to a Triton next.

A place is taken before any byte of a body is, and kept until the answer is there. Studies are sent
while they wait: the next one is then ready when a Triton is, no slow sender keeps a Triton idle,
and what waits is bounded by the places and by the bytes that are held (uploads/region.py). The
price is memory: with bodies taken one by one it would be that of the studies at work alone.
"""

import asyncio
import math
import time
from collections import Counter, deque

from gateway.problems import ProblemError
from gateway.settings import Bounds

FIRST_GUESS_SECONDS = 1.0
WEIGHT_OF_NEWEST = 0.1
LONGEST_RETRY_SECONDS = 120


class Admission:
    """The places of one gateway, and the turns of those who wait.

    The next turn is that of the user with the fewest studies at work; of several, of the one who
    has waited longest since the last turn. seconds: what a study takes at work, measured.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._places: Counter[str] = Counter()
        self._at_work: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self.seconds = FIRST_GUESS_SECONDS

    @property
    def places(self) -> int:
        """How many studies have a place: on their way in, waiting, or at work."""
        return self._places.total()

    @property
    def at_work(self) -> int:
        """How many studies are with a Triton."""
        return self._at_work.total()

    def place(self, user: str) -> "Place":
        """Return a place for one study; raises ProblemError `too_many_of_yours`, `queue_full`."""
        yours = self._places[user]
        if yours >= self._bounds.of_one_user:
            sentence = f"{yours} of your studies are here: wait for one of them"
            raise self._refusal(429, "too_many_of_yours", sentence, behind=yours)
        if self.places >= self._bounds.at_work + self._bounds.waiting:
            sentence = "as many studies are here as can be: send it again in a while"
            raise self._refusal(503, "queue_full", sentence, behind=self.places)
        self._places[user] += 1
        return Place(self, user)

    def retry_seconds(self, behind: int) -> int:
        """Return after how long it is worth trying again, behind so many studies."""
        seconds = math.ceil(self.seconds * behind / self._bounds.at_work)
        return min(max(seconds, 1), LONGEST_RETRY_SECONDS)

    def _refusal(self, status: int, code: str, sentence: str, *, behind: int) -> ProblemError:
        after = str(self.retry_seconds(behind))
        return ProblemError(status, code, sentence, headers={"Retry-After": after})

    async def turn(self, user: str) -> None:
        """Return when a study of the user may go to a Triton."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, deque()).append(turn)
        self._give_turns()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled() or not turn.done():
                self._forget(user, turn)
            else:
                self.end(user)  # it was given in the same moment
            raise

    def end(self, user: str, seconds: float | None = None) -> None:
        """Take back a turn; seconds: what the study took, None if it gave no answer."""
        if seconds is not None:
            self.seconds += WEIGHT_OF_NEWEST * (seconds - self.seconds)
        _count_down(self._at_work, user)
        self._give_turns()

    def leave(self, user: str) -> None:
        """Take back a place."""
        _count_down(self._places, user)

    def _give_turns(self) -> None:
        while self._waiting and self.at_work < self._bounds.at_work:
            user = min(self._waiting, key=lambda user: self._at_work[user])
            turns = self._waiting.pop(user)
            turns.popleft().set_result(None)
            self._at_work[user] += 1
            if turns:
                self._waiting[user] = turns  # at the end of the order now

    def _forget(self, user: str, turn: asyncio.Future[None]) -> None:
        self._waiting[user].remove(turn)
        if not self._waiting[user]:
            del self._waiting[user]


class Place:
    """The place of one study, and its turn: each is given back once, however often it is asked.

    A place that is left while it has its turn is given back with it.
    """

    def __init__(self, admission: Admission, user: str) -> None:
        self._admission, self._user = admission, user
        self._since: float | None = None
        self._is_left = self._is_given_back = False

    @property
    def is_at_work(self) -> bool:
        """Whether it is the study's turn."""
        return self._since is not None

    async def turn(self) -> None:
        """Return when it is the study's turn."""
        await self._admission.turn(self._user)
        self._since = time.monotonic()

    def end_turn(self, *, answered: bool) -> None:
        """Let another study have its turn. answered: whether the time that it took is typical."""
        if self._since is not None:
            seconds = time.monotonic() - self._since
            self._since = None
            self._admission.end(self._user, seconds if answered else None)
        if self._is_left:
            self.leave()

    def leave(self) -> None:
        """Give back the place, now or at the end of the turn."""
        self._is_left = True
        if not self.is_at_work and not self._is_given_back:
            self._is_given_back = True
            self._admission.leave(self._user)


def _count_down(counter: Counter[str], user: str) -> None:
    """Take one from a user's count; users without any are forgotten."""
    counter[user] -= 1
    if not counter[user]:
        del counter[user]
