"""Work in threads: results in order, and the first failure in that order."""

import threading
import time

import pytest

from imaging.threads import each


def test_results_come_in_the_order_of_the_items():
    assert each(lambda item: time.sleep((5 - item) / 500) or item, range(6)) == list(range(6))


def test_the_first_item_that_fails_says_why_and_the_next_call_is_not_harmed():
    def fail_late(item):
        if item == 1:
            time.sleep(0.05)
        if item > 0:
            raise ValueError(f"item {item}")
        return item

    with pytest.raises(ValueError, match="item 1"):
        each(fail_late, range(4))
    assert each(str, [7]) == ["7"]


def test_what_has_not_begun_is_left_after_a_failure():
    begun = []

    def fail(item):
        begun.append(item)
        if item == 0:
            raise ValueError("the first")
        time.sleep(0.02)

    with pytest.raises(ValueError, match="the first"):
        each(fail, range(500))
    time.sleep(0.1)
    assert len(begun) < 100


def _own_name(_):
    return threading.current_thread().name


def test_threads_are_of_the_process_not_of_the_call():
    names = {
        name for _ in range(5) for name in each(lambda _: threading.current_thread().name, "ab")
    }

    assert all(name.startswith("imaging") for name in names)
    assert len(names) <= 8
