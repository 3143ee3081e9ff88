"""The versions of a model and their cards, read from the folders of a Triton's models."""

import json

import httpx
import pytest
from gateway_server import serving, settings_of

from gateway.engines.cards import versions_in
from tools.locations import data_folder

ENSEMBLE = 'ensemble_scheduling {{ step [ {{ model_name: "lungs__v{}_preprocess" }} ] }}'


@pytest.fixture
def sources(tmp_path):
    """A store with three versions of a model, of which one is served, and half of a fourth."""
    for version in (1, 2, 10):
        for part in ("preprocess", "extractor"):
            folder = tmp_path / f"lungs__v{version}_{part}" / "1"
            folder.mkdir(parents=True)
            (folder.parent / "config.pbtxt").write_text("")
        (folder / "card.json").write_text(json.dumps({"source": f"cohort {version}"}))
    (tmp_path / "lungs__v3_extractor").mkdir()
    (tmp_path / "lungs__v3_extractor" / "config.pbtxt").write_text("")
    (tmp_path / "lungs").mkdir()
    (tmp_path / "lungs" / "config.pbtxt").write_text(ENSEMBLE.format(2))
    return [data_folder("model_repository"), tmp_path]


def test_all_versions_are_told_the_newest_first_and_which_is_served(sources):
    found = versions_in(sources, "lungs")

    assert [(each["version"], each["is_served"]) for each in found] == [
        (10, False),
        (2, True),
        (1, False),
    ]
    assert [each["card"]["source"] for each in found] == ["cohort 10", "cohort 2", "cohort 1"]


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff", b'{"a": ' + b'"x' * (1 << 20)])
def test_a_card_that_cannot_be_read_is_none(sources, content):
    (sources[1] / "lungs__v2_extractor" / "1" / "card.json").write_bytes(content)

    assert versions_in(sources, "lungs")[1]["card"] == {}


def test_a_model_without_versions_has_none(sources):
    assert versions_in(sources, "dicom_to_nifti") == []


def test_the_api_tells_of_the_model_that_is_served(server):
    with serving(settings_of(server.http_url)) as (url, _):
        told = httpx.get(f"{url}/api/models/ct3dcnn").json()
        unknown = httpx.get(f"{url}/api/models/nothing")

    assert told["parameters"]["trained_modalities"] == "CT"
    (version,) = told["versions"]
    assert (version["version"], version["is_served"]) == (1, True)
    assert version["card"]["served_sha256"] == told["parameters"]["weights_sha256"]
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_model")
