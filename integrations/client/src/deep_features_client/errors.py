"""What can go wrong, as exceptions with the service's stable codes and sentences."""

UNREADABLE_ANSWER = "bad_answer"
"""Code of a status that no service of ours would send, or of an answer that is not in its form."""


class DeepFeaturesError(Exception):
    """Something went wrong; the classes below say who can do something about it.

    code: stable, for programs: the service's own, or one of this package (`unreachable`,
        `timed_out`, `bad_answer`, and those of its modules).
    sentence: for people; neither attributes of a patient nor names of files are in it.
    status: of the answer, where there was one.
    """

    def __init__(self, code: str, sentence: str, status: int | None = None) -> None:
        super().__init__(code, sentence, status)
        self.code = code
        self.sentence = sentence
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class Refused(DeepFeaturesError):  # noqa: N818  (what happened; every one of these is an error)
    """The study, an option or the request is at fault; the same again would be refused again."""


class NotAllowed(DeepFeaturesError):  # noqa: N818
    """The token is missing, has ended, or does not open this (401, 403)."""


class Busy(DeepFeaturesError):  # noqa: N818
    """The service had too much to do (429, 503) for as long as retries were allowed.

    retry_after_s: when it said to come again; None if it did not say.
    """

    def __init__(
        self,
        code: str,
        sentence: str,
        status: int | None = None,
        *,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(code, sentence, status)
        self.retry_after_s = retry_after_s


class Unreachable(DeepFeaturesError):  # noqa: N818
    """No answer came: nothing listens, or the connection broke, as often as it was tried."""


class TimedOut(DeepFeaturesError):  # noqa: N818
    """One of the limits of `Timeouts` passed."""


class ServerFailed(DeepFeaturesError):  # noqa: N818
    """The service failed (5xx), or sent what is not an answer; its log says more."""
