"""The peers compute what we compute: else their times would say nothing."""

import os
from importlib.util import find_spec

import nibabel as nib
import numpy as np
import pytest
from phantoms import slices, thorax, zip_of
from test_network_input import inputs_of

from tools.bench.limit import network_operations, saved_model
from tools.bench.peer import Peer, PeerError, peers, result_of
from tools.bench.peers.networks import keras_network
from tools.bench.peers.thesis import process_scan

SQUARE = thorax(shape=(40, 40, 24))
VOLUMES = np.random.default_rng(5).random((1, 128, 128, 64, 1), np.float32)


def is_installed(name):
    return pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed")


def features_of(name, words):
    peer = Peer(name, words)
    try:
        peer()
        return np.array(peer.result)
    finally:
        peer.close()


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    file = tmp_path_factory.mktemp("network") / "volumes.npy"
    np.save(file, VOLUMES)
    return file


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    pytest.importorskip("onnx")
    file = tmp_path_factory.mktemp("network") / "extractor.onnx"
    result_of("write_onnx", [saved_model(), file, *VOLUMES.shape[1:]])
    return file


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param("onnxruntime", marks=is_installed("onnxruntime")),
        pytest.param("openvino", marks=is_installed("openvino")),
    ],
)
def test_the_onnx_graph_is_the_network(graph, volume, engine):
    expected = keras_network(str(saved_model()))(VOLUMES)[0]

    features = features_of(f"network_{engine}", [graph, volume])

    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_the_shipped_network_takes_its_32_gflop():
    assert network_operations() / 1e9 == pytest.approx(32.4, abs=0.1)


def test_the_thesis_s_functions_give_the_input_that_ours_give(tmp_path):
    nib.save(SQUARE.nifti(), tmp_path / "scan.nii")

    theirs = process_scan(tmp_path / "scan.nii")

    ours = inputs_of(zip_of(*slices(SQUARE))).volumes[0][..., 0]
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)


def test_all_of_a_zip_is_inflated_by_both_libraries(tmp_path):
    file = tmp_path / "study.zip"
    file.write_bytes(zip_of(bytes(5000), b"x" * 300))

    for library in ("inflate_isal", "inflate_libdeflate"):
        assert result_of(library, [file]) == 5300


def test_a_contender_that_is_not_installed_is_told(tmp_path, monkeypatch):
    (tmp_path / "openvino.py").write_text("raise ModuleNotFoundError(name='openvino')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    missing = {}

    with peers({"network_openvino": ["model", "volume"]}, missing) as ready:
        assert ready == []

    assert missing == {"network_openvino": "openvino"}


def test_a_contender_that_fails_says_why(tmp_path):
    with pytest.raises(PeerError, match="No such file"):
        Peer("inflate_isal", [tmp_path / "absent.zip"])
