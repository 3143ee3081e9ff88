"""A deployment's key for names of scanners: stated, or made once and kept."""

import pytest

from tools.engine.scanner_key import VARIABLE, scanner_key


@pytest.fixture
def state(tmp_path, monkeypatch):
    """The folder in which the account keeps its state."""
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_a_stated_key_is_taken_and_nothing_is_kept(state, monkeypatch):
    monkeypatch.setenv(VARIABLE, "stated")

    assert scanner_key() == "stated"
    assert not list(state.iterdir())


def test_a_key_is_made_once_and_is_for_this_account_alone(state):
    first = scanner_key()

    assert len(first) == 64
    assert scanner_key() == first
    (file,) = (state / "triton-deep-features").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_where_no_key_can_be_kept_there_is_none(state):
    state.joinpath("triton-deep-features").write_text("in the way of the folder")

    assert scanner_key() == ""
