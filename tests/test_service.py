"""The whole way, on the real Triton: what a user relies on."""

import gzip
import hashlib
import hmac
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import keras_example
import nibabel as nib
import numpy as np
import pytest
import tensorflow as tf
import tritonclient.grpc
import tritonclient.http
from phantoms import CORONAL, FEET_FIRST, SAGITTAL, slices, thorax, zip_of
from test_pet_rows import pet_slices
from test_preprocess import RTSTRUCT, SMALL, other_object
from test_regions_objects import rtstruct, square

from tools.client import ServiceError, infer
from tools.locations import data_folder
from tools.weights_digest import weights_sha256

SAMPLE = data_folder("sample") / "ct-chest-lidc-16.zip"
EXTRACTOR = data_folder("model_repository") / "ct3dcnn__v1_extractor" / "1" / "model.savedmodel"


@pytest.fixture(scope="module")
def network():
    """The extractor as TensorFlow itself loads it: [128, 128, 64] to 256 features."""
    loaded = tf.saved_model.load(EXTRACTOR)
    signature = loaded.signatures["serving_default"]
    return lambda volume: signature(volumes=volume[np.newaxis, ..., np.newaxis])["features"][0]


def features(server, study):
    return infer(server.http_url, "ct3dcnn", study).features


def nifti(server, study):
    client = tritonclient.http.InferenceServerClient(server.http_url)
    answer = client.infer("dicom_to_nifti", [tensor(tritonclient.http, study)])
    return [nib.Nifti1Image.from_bytes(gzip.decompress(file)) for file in answer.as_numpy("NIFTI")]


def tensor(library, study):
    made = library.InferInput("DICOM_ZIP", [len(study)], "UINT8")
    made.set_data_from_numpy(np.frombuffer(study, np.uint8))
    return made


def raw(server, study, **headers):
    """The answer to a plain POST of the zip: status, body."""
    request = urllib.request.Request(
        f"http://{server.http_url}/v2/models/ct3dcnn/infer",
        study,
        {
            "Inference-Header-Content-Length": "0",
            "Content-Type": "application/octet-stream",
            **headers,
        },
    )
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def relative_l2(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def test_features_of_real_ct_equal_the_explicit_chain(server, network):
    study = SAMPLE.read_bytes()

    (image,) = nifti(server, study)
    expected = network(keras_example.process(image))

    assert relative_l2(features(server, study)[0], expected) < 1e-5


def test_features_of_a_phantom_equal_the_chain_on_nifti_written_by_hand(server, network):
    phantom = thorax(shape=(64, 64, 24), spacing_mm=(1.75, 1.75, 4.0))

    expected = network(keras_example.process(phantom.nifti()))

    assert relative_l2(features(server, zip_of(*slices(phantom)))[0], expected) < 1e-5


@pytest.mark.parametrize("orientation", [SAGITTAL, CORONAL, FEET_FIRST], ids="scf")
def test_features_do_not_depend_on_the_orientation_of_the_slices(server, network, orientation):
    phantom = thorax()

    expected = network(keras_example.process_any(phantom.nifti()))

    found = features(server, zip_of(*slices(phantom, orientation)))[0]
    assert relative_l2(found, expected) < 1e-5


def test_http_grpc_and_a_raw_request_give_the_same_bits(server):
    study = SAMPLE.read_bytes()

    by_http = features(server, study)
    client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")
    by_grpc = client.infer("ct3dcnn", [tensor(tritonclient.grpc, study)]).as_numpy("FEATURES")
    status, body = raw(server, study)

    np.testing.assert_array_equal(by_grpc, by_http)
    assert status == 200
    assert by_http.tobytes() in body


def test_two_studies_in_one_zip_are_two_rows(server):
    first = slices(SMALL, StudyInstanceUID="1.2.1", PatientID="A")
    second = slices(thorax(), StudyInstanceUID="1.2.2", PatientID="B")

    both = infer(server.http_url, "ct3dcnn", zip_of(*first, *second))

    assert [row["study_uid"] for row in both.rows] == ["1.2.1", "1.2.2"]
    np.testing.assert_array_equal(both.features[0], features(server, zip_of(*first))[0])
    np.testing.assert_array_equal(both.features[1], features(server, zip_of(*second))[0])


@pytest.mark.parametrize(
    ("study", "code"),
    [
        pytest.param(b"hello", "not_a_zip", id="not a zip"),
        pytest.param(b"", "not_a_zip", id="nothing"),
        pytest.param(zip_of(), "zip_empty", id="an empty zip"),
        pytest.param(SAMPLE.read_bytes()[:-1000], "zip_truncated", id="a truncated zip"),
        pytest.param(zip_of(b"text", b"text"), "no_dicom", id="text files"),
        pytest.param(
            zip_of(other_object("1.2.840.10008.5.1.4.1.1.88.11", "SR")), "no_images", id="a report"
        ),
        pytest.param(
            zip_of(other_object(RTSTRUCT, "RTSTRUCT")), "regions_without_images", id="RTSTRUCT"
        ),
        pytest.param(zip_of(slices(SMALL)[0]), "single_slice", id="one slice"),
    ],
)
def test_bad_input_is_a_400_with_its_code_and_the_next_request_is_served(server, study, code):
    status, body = raw(server, study)

    assert status == 400
    assert json.loads(body)["error"].startswith(f"in ensemble 'ct3dcnn', {code}: ")
    assert raw(server, zip_of(*slices(SMALL)))[0] == 200


def test_the_client_has_the_code_of_a_refusal(server):
    with pytest.raises(ServiceError, match="^zip_empty: the zip has no files") as caught:
        infer(server.http_url, "ct3dcnn", zip_of())

    assert caught.value.code == "zip_empty"


def test_options_reach_the_model_as_headers_and_as_parameters(server):
    study = zip_of(*slices(SMALL, SOPClassUID="1.2.840.10008.5.1.4.1.1.4", Modality="MR"))

    assert raw(server, study)[0] == 400
    assert raw(server, study, **{"X-DF-Allow": "untrained_modality"})[0] == 200
    answer = infer(
        server.http_url, "ct3dcnn", study, {"allow": "untrained_modality", "preview": "false"}
    )
    assert answer.previews == [""]
    assert answer.rows[0]["modality"] == "MR"


def test_masks_of_regions_come_with_the_converted_images(server):
    image = slices(SMALL)
    square_mm = square((-27.75, -52.625, 112), (-17.75, -45.625, 112))
    client = tritonclient.http.InferenceServerClient(server.http_url)

    answer = client.infer(
        "dicom_to_nifti",
        [tensor(tritonclient.http, zip_of(*image, rtstruct(image, [("Lésion", [square_mm])])))],
        parameters={"masks": "true"},
    )

    rows = [json.loads(row) for row in answer.as_numpy("ROWS")]
    volume, mask = (
        nib.Nifti1Image.from_bytes(gzip.decompress(file)) for file in answer.as_numpy("NIFTI")
    )
    assert [(row["kind"], row["roi"]) for row in rows] == [("image", ""), ("mask", "Lésion")]
    np.testing.assert_array_equal(volume.affine, mask.affine)
    assert np.count_nonzero(mask.dataobj) == 4 * 4  # voxels of 2.5 x 1.75 mm


def test_a_tie_of_series_is_asked_back_and_answered(server):
    both = [
        each
        for uid in ("1.2.1", "1.2.2")
        for each in slices(SMALL, StudyInstanceUID="1.2", SeriesInstanceUID=uid)
    ]

    with pytest.raises(ServiceError, match="^ambiguous_series: .*1.2.1 .*1.2.2 "):
        infer(server.http_url, "ct3dcnn", zip_of(*both))

    one = infer(server.http_url, "ct3dcnn", zip_of(*both), {"series": "1.2.2"})
    every = infer(server.http_url, "ct3dcnn", zip_of(*both), {"series": "all"})
    assert [row["series_uid"] for row in one.rows] == ["1.2.2"]
    assert [row["series_uid"] for row in every.rows] == ["1.2.1", "1.2.2"]


def test_pet_is_suv_or_says_that_it_is_not(server):
    whole, lacking = pet_slices(), pet_slices(PatientWeight=None)
    allowed = {"allow": "untrained_modality"}

    suv = infer(server.http_url, "ct3dcnn", zip_of(*whole), allowed).rows[0]
    with pytest.raises(ServiceError, match="^suv_impossible: .* PatientWeight"):
        infer(server.http_url, "ct3dcnn", zip_of(*lacking), allowed)
    stored = infer(
        server.http_url, "ct3dcnn", zip_of(*lacking), allowed | {"pt_unit": "stored"}
    ).rows[0]

    assert (suv["unit"], stored["unit"]) == ("SUVbw", "BQML")
    assert "PT_NOT_SUV" in [each["code"] for each in stored["quality"]]


def test_rows_name_the_scanner_by_the_key_of_the_deployment(server):
    study = zip_of(*slices(SMALL, DeviceSerialNumber="77", StationName="CT1"))

    row = infer(server.http_url, "ct3dcnn", study).rows[0]

    key = os.environ["DEEPFEATURES_SCANNER_KEY"].encode()
    assert row["scanner_id"] == hmac.new(key, b"77\0CT1", hashlib.sha256).hexdigest()[:16]


def test_rows_say_what_weights_and_what_preprocessing_made_them(server):
    row = infer(server.http_url, "ct3dcnn", zip_of(*slices(SMALL))).rows[0]

    assert row["weights_sha256"] == weights_sha256(EXTRACTOR)
    assert row["weights"] == "demonstration"
    assert "DEMONSTRATION_WEIGHTS" in [each["code"] for each in row["quality"]]


def deepfeatures(*arguments, cwd=None):
    command = [Path(sys.executable).with_name("deepfeatures"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_extract_writes_the_good_studies_and_names_the_bad_one(server, tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"hello")
    (tmp_path / "good.zip").write_bytes(zip_of(*slices(SMALL)))

    done = deepfeatures(
        "extract", tmp_path, "--url", server.http_url, "--out", tmp_path / "all.csv"
    )

    assert done.returncode == 1
    assert "bad.zip: not_a_zip: " in done.stderr
    header, row = (tmp_path / "all.csv").read_text().splitlines()
    assert header.startswith("PatientID,Modality,ROI,ct3dcnn1_000,")
    assert row.startswith("PHANTOM,CT,,")
    provenance = json.loads((tmp_path / "all.provenance.json").read_text())
    assert ["error" in study for study in provenance["studies"]] == [True, False]


def test_extract_prints_csv_json_or_a_table(server, tmp_path):
    study = tmp_path / "study.zip"
    study.write_bytes(zip_of(*slices(SMALL)))
    call = ("extract", study, "--url", server.http_url)

    table, csv, document = (deepfeatures(*call, *form) for form in ((), ("--csv",), ("--json",)))

    assert "PHANTOM" in table.stdout
    assert "DEMONSTRATION_WEIGHTS in 1 of 1 rows" in table.stdout
    assert csv.stdout.startswith("PatientID,Modality,ROI,ct3dcnn1_000,")
    row = json.loads(document.stdout)["studies"][0]["rows"][0]
    assert len(row["features"]) == 256
    assert table.returncode == csv.returncode == document.returncode == 0


def test_a_wrong_call_of_extract_exits_with_2(server):
    assert deepfeatures("extract", "nowhere.zip", "--url", server.http_url).returncode == 2
    assert deepfeatures("extract").returncode == 2
