"""Where trials of engines are kept: where that is stated, or in the account's cache."""

import pytest

from tools.engine.trials import VARIABLE, trials_folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of the account's caches."""
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_a_stated_folder_is_taken(cache, monkeypatch):
    monkeypatch.setenv(VARIABLE, "/stated")

    assert trials_folder() == "/stated"
    assert not list(cache.iterdir())


def test_the_folder_in_the_cache_is_for_this_account_alone(cache):
    folder = cache / "triton-deep-features" / "trials"

    assert trials_folder() == trials_folder() == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_where_nothing_can_be_kept_nothing_is(cache):
    (cache / "triton-deep-features").touch()

    assert trials_folder() == ""
