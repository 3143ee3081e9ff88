"""The arithmetic of the bench, its made studies, and its verdicts."""

import io
import zipfile

import numpy as np
import pydicom
import pytest

from imaging.archive import Limits
from imaging.options import Options
from imaging.preprocess import nifti_files
from tools.bench.lines import line_through
from tools.bench.network_size import operations
from tools.bench.requests import stages
from tools.bench.sections.clients import busy_part, summary
from tools.bench.sheets import as_markdown
from tools.bench.studies import Study, ct, mr, pt, study_zip
from tools.bench.targets import Target, targets
from tools.bench.timing import interleaved, percentile, ratio_of_pairs
from tools.bench.zips import entry, first_piece, last_piece, zip_of

KERAS_EXAMPLE = [(3, 3, 3, 1, 64), (3, 3, 3, 64, 64), (3, 3, 3, 64, 128), (3, 3, 3, 128, 256)]


def test_the_network_takes_its_32_gflop():
    # Outputs 126×126×62, 61×61×29, 28×28×12, 12×12×4, by hand from the example's summary.
    by_hand = (
        2 * 27 * (64 * 126 * 126 * 62 + 64 * 64 * 61 * 61 * 29 + 64 * 128 * 28 * 28 * 12)
        + 2 * 27 * 128 * 256 * 12 * 12 * 4
    )

    assert operations(KERAS_EXAMPLE) == by_hand
    assert by_hand / 1e9 == pytest.approx(32.4, abs=0.1)


def test_a_dense_layer_uses_each_weight_once():
    assert operations([(256, 512)]) == 2 * 256 * 512


def test_ratios_are_of_pairs_and_not_of_medians():
    ours, theirs = [1.0, 10.0, 3.0], [2.0, 10.0, 30.0]

    assert ratio_of_pairs(ours, theirs) == 0.5
    assert np.median(ours) / np.median(theirs) == 0.3


def test_rounds_that_only_one_has_are_left_out():
    assert ratio_of_pairs([4.0], [2.0, 400.0]) == 2.0


def test_contenders_take_turns_in_both_orders_after_one_turn_in_vain():
    called = []

    def turn(name):
        return lambda: called.append(name) or float(len(called))

    timings = interleaved({"a": turn("a"), "slow": turn("slow")}, 3, fewer={"slow": 1})

    assert called == ["a", "a", "slow", "a", "a"]
    assert timings["a"].seconds == (2.0, 4.0, 5.0)
    assert timings["a"].as_json()["median_s"] == 4.0
    assert timings["slow"].seconds == (3.0,)


def test_the_percentile_is_a_value_that_was_measured():
    assert percentile([5, 1, 4, 2, 3], 50) == 3
    assert percentile(list(range(1, 21)), 95) == 19
    assert percentile([7.0], 95) == 7.0


def test_a_line_is_found_with_what_is_off_it():
    exact = line_through([1, 2, 3], [5, 7, 9])
    bent = line_through([0, 1, 2], [1, 3, 2])

    assert (exact.fixed, exact.each, exact.r_squared) == pytest.approx((3, 2, 1))
    assert exact.largest_deviation == pytest.approx(0)
    # By hand: the line is 1.5 + 0.5 x; the middle is 1 above 2; 1.5 of the variance 2 is left.
    assert (bent.fixed, bent.each, bent.r_squared) == pytest.approx((1.5, 0.5, 0.25))
    assert bent.largest_deviation == pytest.approx(0.5)


def test_the_stages_of_a_request_add_up_to_its_total():
    spent = {
        "ct3dcnn": {"success": 0.9},
        "ct3dcnn__v1_preprocess": _parts(0.01, 0.02, 0.5, 0.03),
        "ct3dcnn__v1_extractor": _parts(0.001, 0.002, 0.3, 0.003),
    }

    found = stages(1.0, spent, {"headers": 0.1, "volumes": 0.3})

    assert sum(found.values()) == pytest.approx(1.0)
    assert found["transport"] == pytest.approx(0.1)
    assert found["network"] == 0.3
    assert found["tensors"] == pytest.approx(0.066 + 0.1)
    assert found["rest"] == pytest.approx(0.034)


def _parts(queue, compute_input, compute_infer, compute_output):
    return {
        "queue": queue,
        "compute_input": compute_input,
        "compute_infer": compute_infer,
        "compute_output": compute_output,
    }


def test_throughput_is_that_between_the_first_and_the_last_answer():
    found = summary([(10.0, 1.0), (10.5, 1.5), (11.0, 0.5)])

    assert found["studies_per_s"] == 2.0
    assert (found["median_s"], found["p95_s"]) == (1.0, 1.5)


def test_processors_that_wait_for_a_disk_are_not_busy():
    before, after = [0] * 10, [30, 5, 10, 40, 10, 2, 3, 99, 0, 0]

    assert busy_part(before, after) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("measured", "bound", "at_most", "met"),
    [
        pytest.param(1.8, 1.8, True, True, id="on the border"),
        pytest.param(1.81, 1.8, True, False, id="too slow"),
        pytest.param(26, 25, False, True, id="fast enough"),
        pytest.param(24, 25, False, False, id="not fast enough"),
    ],
)
def test_a_target_is_met_or_not(measured, bound, at_most, met):
    target = Target("e2e", "of a test", measured, bound, at_most=at_most)

    assert target.as_json()["met"] is met
    assert target.ratio == round(measured / bound, 3)


def test_sections_that_were_not_run_have_no_targets():
    ratios = {"http_to_limit": 1.7, "memory_to_limit": 1.6, "thesis_dcm2niix_to_http": 30.0}

    found = targets({"e2e": {"ratios": ratios}})

    assert [(target.bound, target.met) for target in found] == [
        (1.8, True),
        (1.5, False),
        (25, True),
    ]


def test_memory_is_bounded_by_the_zip():
    zip_bytes = 600_000_000
    one = {"memory": {"peak_bytes": 2.9e9}, "http": {"peak_bytes": 3.7e9}}
    row = {"settled_after": 2, "bytes_after": [1, 2, 3], "growth": 0.5}

    shared, http, growth = targets(
        {"memory": {"zip_bytes": zip_bytes, "one": one, "in_a_row": row}}
    )

    assert (shared.bound, shared.met) == (3.0, True)
    assert (http.bound, http.met) == (3.6, False)
    assert not growth.met


def test_tables_name_what_is_not_installed():
    results = {
        "machine": {
            "date": "2026-01-01",
            "processor": "P",
            "cores": 2,
            "memory_gb": 8,
            "load": 0,
            "versions": {"python": "3.11"},
        },
        "targets": [Target("e2e", "a target", 2.0, 1.8).as_json()],
        "not_measured": {"network_openvino": "openvino"},
    }

    text = as_markdown(results)

    assert "| e2e: a target | 2 × | ≤ 1.8 × | not met |" in text
    assert "| OpenVINO | openvino |" in text


def test_an_entry_in_two_pieces_inflates_as_one():
    header, pixels = b"header" * 400, bytes(range(256)) * 40
    made = zip_of(
        [entry("A/1", first_piece(header), last_piece(pixels)), entry("A/2", last_piece(header))]
    )

    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        assert archive.read("A/1") == header + pixels
        assert archive.read("A/2") == header


@pytest.mark.parametrize("scan", [ct(4), mr(4), pt(4)], ids=lambda scan: scan.modality)
def test_a_made_study_is_one_volume_of_its_modality(scan):
    rows = nifti_files(memoryview(study_zip(scan)), options=Options(), limits=Limits())

    [label] = rows.labels
    assert (label["modality"], label["shape"]) == (scan.modality, [scan.size, scan.size, 4])
    assert rows.report["warnings"] == []


def test_a_made_study_is_as_large_as_an_export():
    study = Study(ct(200))

    with zipfile.ZipFile(io.BytesIO(study.zip(slices=70))) as archive:
        packed = sum(info.compress_size for info in archive.infolist()) / 70

    assert packed * 200 == pytest.approx(55e6, rel=0.02)


def test_the_first_slices_of_a_made_study_are_a_study_with_regions():
    study = Study(ct(6))

    with zipfile.ZipFile(io.BytesIO(study.zip(slices=5, regions=2))) as archive:
        objects = [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]

    assert [each.InstanceNumber for each in objects[:5]] == [1, 2, 3, 4, 5]
    assert len({each.PixelData for each in objects[:5]}) == 5
    assert len(objects[5].StructureSetROISequence) == 2
    assert objects[5].Modality == "RTSTRUCT"
