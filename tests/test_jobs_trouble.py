"""What is tried again, when, and for how long; and what the report of a job says of it."""

import time
from types import SimpleNamespace

import pytest

from gateway.jobs.happened import sentences
from gateway.jobs.trouble import Trouble, is_temporary, pause_s, stated_pause_s
from gateway.problems import ProblemError
from gateway.sources.source import SourceError

WELL = Trouble("", 0, 0, None)


@pytest.mark.parametrize(
    ("failures", "least_s", "most_s"),
    [(1, 0.5, 1), (2, 1, 2), (3, 2, 4), (6, 16, 32), (7, 30, 60), (500, 30, 60)],
)
def test_pauses_double_up_to_a_minute(failures, least_s, most_s):
    pauses = [pause_s(failures) for _ in range(200)]

    assert least_s <= min(pauses) < max(pauses) <= most_s


@pytest.mark.parametrize(("stated_s", "least_s"), [(None, 0.5), (10, 10), (86400, 60)])
def test_a_stated_pause_is_kept_within_a_minute(stated_s, least_s):
    assert least_s <= pause_s(1, stated_s) <= 60


@pytest.mark.parametrize(
    "code",
    ["busy", "retry", "no_room", "too_slow", "service_error", "queue_full", "too_many_of_yours"],
)
def test_what_another_time_may_not_have_is_temporary(code):
    assert is_temporary(ProblemError(503, code, "later"))


@pytest.mark.parametrize("code", ["no_images", "too_large", "untrained_modality", "bad_option"])
def test_what_is_the_study_s_own_is_not(code):
    assert not is_temporary(ProblemError(422, code, "never"))


def test_a_source_says_itself_what_is_temporary():
    assert is_temporary(SourceError("source_failed", "later", temporary=True))
    assert not is_temporary(SourceError("source_empty", "never"))


@pytest.mark.parametrize(
    ("code", "tries"), [("service_error", 2), ("truncated_zip", 5), ("busy", None)]
)
def test_what_may_be_the_study_is_believed_after_some_tries(code, tries):
    trouble, given_up = WELL, None
    for number in range(1, 50):
        trouble = trouble.and_then(code)
        if trouble.is_too_much:
            given_up = number
            break

    assert given_up == tries


def test_another_code_in_between_begins_the_count_anew():
    trouble = WELL.and_then("service_error").and_then("busy").and_then("service_error")

    assert (trouble.failures, trouble.same_failures) == (3, 1)
    assert not trouble.is_too_much


def test_patience_lasts_an_hour():
    assert not Trouble("busy", 9, 9, time.time() - 3500).is_too_much
    assert Trouble("busy", 9, 9, time.time() - 3700).is_too_much


def test_an_error_s_own_pause_is_read():
    assert stated_pause_s(ProblemError(503, "busy", "later", headers={"Retry-After": "10"})) == 10
    assert stated_pause_s(ProblemError(503, "busy", "later")) is None
    assert stated_pause_s(SourceError("source_failed", "later", retry_after_s=7.0)) == 7


def test_what_happened_is_told_in_sentences():
    incidents = [
        SimpleNamespace(code=code, times=times, first_at=100.0, last_at=100.0 + lasted_s)
        for code, times, lasted_s in [
            ("restart", 3, 900),
            ("source_failed", 14, 61),
            ("truncated_zip", 1, 0),
            ("interrupted", 2, 30),
            ("busy", 2, 5),
        ]
    ]

    assert sentences(incidents, "kheops") == [
        "the service was restarted 3 times",
        "Kheops failed 14 times within 61 s",
        "a study came incomplete from Kheops once",
        "an engine was interrupted over a study 2 times, and was asked again",
        "studies were tried again because of busy 2 times within 5 s",
    ]
