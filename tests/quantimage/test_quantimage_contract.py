"""Rows of the service go through what QuantImage-V2 does: storage, export, collections."""

import dataclasses
import io
import os
import re
import zipfile

import httpx
import numpy as np
import pandas
import pytest
import yaml
from gateway_server import serving, settings_of
from phantoms import slices, zip_of
from quantimage_v2 import FEATURE_ID, RIESZ, SEPARATOR, DatabaseError, Store, download
from test_region_rows import PHANTOM, box
from test_regions_objects import rtstruct

from deep_features_client import Client, TritonClient
from deep_features_client.quantimage import LongRowsError
from tools.locations import CHECKOUT

NAMES = ('GTV ä, "N"; €', "gtv", "GTV")
"""Commas and quotes, letters beyond ASCII, and two that differ in case alone."""

UID = "1.2.840.5"

HERE = {"regions": "all", "allow": "demonstration"}


@pytest.fixture(scope="module")
def study():
    image = slices(PHANTOM, Modality="CT", PatientID="P,1", StudyInstanceUID=UID)
    regions = [
        box(name, (15.5 + 4 * n, 23.5), (29.5 + 4 * n, 35.5), range(10, 14))
        for n, name in enumerate(NAMES)
    ]
    return zip_of(*image, rtstruct(image, regions))


@pytest.fixture(scope="module")
def answer(server, study):
    with TritonClient(server.http_url) as client:
        return client.extract(study, options=HERE)


@pytest.fixture(scope="module")
def frame(answer):
    return answer.to_quantimage()


@pytest.fixture(scope="module")
def store(frame):
    """Their tables after an extraction in which okapy's rows came first."""
    okapy = pandas.DataFrame(
        {
            "patient": "P,1",
            "modality": "CT",
            "VOI": [*NAMES],
            "feature_name": "original_shape_MeshVolume",
            "feature_value": [1.5, 2.5, 3.5],
        }
    )
    store = Store()
    store.store_features(UID, pandas.concat([okapy, frame], ignore_index=True))
    return store


def test_there_are_as_many_rows_a_region_as_the_network_has_features(frame):
    counted = frame.groupby(["modality", "VOI"], sort=False).size()

    assert counted.to_dict() == {("CT", name): 256 for name in NAMES}
    assert not frame.duplicated(["modality", "VOI", "feature_name"]).any()


def test_weights_for_demonstration_are_allowed_in_the_request_or_afterwards(answer, frame):
    unasked = dataclasses.replace(answer, options={})

    with pytest.raises(LongRowsError, match="demonstration_weights"):
        unasked.to_quantimage()
    assert unasked.to_quantimage(allow=["demonstration"]).equals(frame)


def test_the_gateway_and_the_client_give_the_same_rows(server, study, frame):
    query = {"profile": "quantimage", "allow": "demonstration"}
    headers = {"Content-Type": "application/zip"}
    with serving(settings_of(server.http_url)) as (url, _):
        url = f"{url}/api/models/ct3dcnn/features"
        found = httpx.post(url, content=study, params=query, headers=headers, timeout=60).json()

    texts = [name for name in frame.columns if name != "feature_value"]
    assert [{**row, "feature_value": None} for row in found] == [
        {**row, "feature_value": None} for row in frame.to_dict("records")
    ]
    assert texts == ["patient_id", "modality", "VOI", "feature_name"]
    np.testing.assert_array_equal(
        np.array([row["feature_value"] for row in found], np.float32),
        frame["feature_value"].to_numpy(np.float32),
    )


def test_an_export_has_a_file_a_region_with_their_header(store):
    files = download(store.formatted(), {UID: "P,1"}, "Lung 1")

    assert set(files) == {f"features_album_Lung-1_CT-{name}.csv" for name in NAMES}
    for lines in files.values():
        header, row = lines
        assert header[:4] == ["PatientID", "Modality", "ROI", "original_shape_MeshVolume"]
        assert header[4:] == [f"tex_ct3dcnn1_{n:03}" for n in range(256)]
        assert row[:2] == ["P,1", "CT"]


def test_an_export_has_six_digits_of_what_the_network_gave(store, answer):
    files = download(store.formatted(), {UID: "P,1"}, "Lung 1")

    for row in answer.rows:
        _, line = files[f"features_album_Lung-1_CT-{row.roi}.csv"]
        np.testing.assert_allclose(np.array(line[4:], float), row.features, rtol=5e-6)


def test_a_collection_takes_all_features_of_a_region_by_their_ids(store, frame):
    ids = [f"CT{SEPARATOR}{NAMES[0]}{SEPARATOR}{name}" for name in frame["feature_name"].unique()]

    files = download(store.of_collection(ids), {UID: "P,1"}, "Lung 1")

    ((name, (header, _)),) = files.items()
    assert name == f"features_album_Lung-1_CT-{NAMES[0]}.csv"
    assert len(header) == 3 + 256


def test_ids_are_taken_apart_into_the_names_that_they_were_made_of(frame):
    for row in frame.itertuples():
        match = FEATURE_ID.match(f"{row.modality}{SEPARATOR}{row.VOI}{SEPARATOR}{row.feature_name}")
        assert match.groups() == (row.modality, row.VOI, row.feature_name)


def test_their_page_shows_features_under_short_names(frame):
    match = RIESZ.match(frame["feature_name"][7])

    assert match.groups() == ("tex", "ct3dcnn1_007")


@pytest.mark.parametrize("name", ["σ", f"GTV{SEPARATOR}1", "x" * 256])
def test_names_that_the_rules_refuse_are_those_that_their_database_refuses(frame, name):
    with pytest.raises(DatabaseError):
        Store().store_features(UID, frame.assign(VOI=name))


def test_names_that_end_in_a_space_are_lost_in_their_database(frame):
    store = Store()
    store.store_features(UID, frame.assign(VOI="GTV"))

    with pytest.raises(KeyError, match="GTV "):
        store.store_features(f"{UID}.1", frame.assign(VOI="GTV "))


def test_a_line_end_in_a_name_keeps_its_features_out_of_collections(frame):
    store = Store()
    store.store_features(UID, frame.assign(VOI="GTV\nT"))

    assert not store.of_collection([f"CT{SEPARATOR}GTV\nT{SEPARATOR}tex_ct3dcnn1_000"])


def test_two_rows_of_one_key_would_be_averaged(frame):
    store = Store()
    store.store_features(UID, frame.assign(VOI="GTV", feature_value=1.0))
    store.store_features(UID, frame.assign(VOI="GTV", feature_value=3.0))

    ((_, row),) = download(store.formatted(), {UID: "P,1"}, "A").values()
    assert set(row[3:]) == {"2.0"}


def test_the_lines_for_their_worker_put_our_rows_behind_okapys(
    server, study, frame, tmp_path, monkeypatch
):
    """docs/quantimage.md: as it stands there, with a folder of files and a preset's YAML."""
    page = (CHECKOUT / "docs" / "quantimage.md").read_text(encoding="utf-8")
    (added,) = re.findall(r"^\+def add_deep_features.*?(?=^ def )", page, re.DOTALL | re.MULTILINE)
    (preset,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "preset.yaml").write_text(preset.replace("[]", "[demonstration]"))
    with zipfile.ZipFile(io.BytesIO(study)) as file:
        file.extractall(tmp_path / "DICOM")
    names = {"Client": Client, "os": os, "pandas": pandas, "yaml": yaml}
    exec(re.sub(r"^\+", "", added, flags=re.MULTILINE), names)  # noqa: S102
    okapy = frame.iloc[:1].assign(feature_name="original_shape_MeshVolume")

    with serving(settings_of(server.http_url)) as (url, _):
        monkeypatch.setenv("DEEP_FEATURES_URL", url)
        found = names["add_deep_features"](
            okapy, str(tmp_path / "DICOM"), str(tmp_path / "preset.yaml"), ["gtv"], "token"
        )

    expected = pandas.concat([okapy, frame[frame["VOI"] == "gtv"]], ignore_index=True)
    pandas.testing.assert_frame_equal(found, expected)
