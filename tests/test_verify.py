"""A stored result next to the same study, computed again."""

import json
import shutil
import subprocess
import sys

import pytest
from phantoms import slices, zip_of
from test_preprocess import SMALL
from test_region_rows import TUMOUR, study_with

from tools.cli import parser
from tools.locations import data_folder
from tools.models.configs import parameters_of
from tools.models.store import Store
from tools.outcome import Outcome
from tools.verification.differences import compare_rows, relative_l2
from tools.verification.stored import ResultError, options_of, read_result
from tools.verification.weights import weights_advice

ROW = {
    "patient_id": "A",
    "study_uid": "1.2",
    "series_uid": "1.2.3",
    "stack_index": 0,
    "modality": "CT",
    "roi": "",
    "roi_number": None,
    "weights_sha256": "w",
    "features": [3.0, 4.0],
}


def row(**fields):
    return ROW | fields


def verdicts(stored, new, tolerance=1e-5):
    return [each.verdict for each in compare_rows(stored, new, tolerance=tolerance)]


def test_relative_l2_is_the_length_of_the_difference_by_that_of_what_was_stored():
    assert relative_l2([3.0, 4.0], [3.0, 4.5]) == (0.1, 0.5)
    assert relative_l2([0.0, 0.0], [0.0, 0.0]) == (0.0, 0.0)
    assert relative_l2([0.0, 0.0], [0.0, 1.0]) == (float("inf"), 1.0)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        pytest.param({}, "same", id="nothing"),
        pytest.param({"features": [3.0, 4.00004]}, "same", id="8e-6 of the length"),
        pytest.param({"features": [3.0, 4.00006]}, "differs", id="12e-6 of the length"),
        pytest.param({"features": [3.0, float("nan")]}, "differs", id="no number"),
        pytest.param({"features": [3.0]}, "differs", id="another network"),
        pytest.param({"software": "later"}, "same", id="a field that is new"),
        pytest.param({"weights_sha256": "v"}, "features same", id="other weights, same features"),
    ],
)
def test_a_row_is_the_same_within_the_tolerance_if_its_fields_are(changed, verdict):
    assert verdicts([row()], [row(**changed)]) == [verdict]


def test_fields_that_differ_are_told_with_both_values():
    stored, new = row(window=[-1000.0, 400.0], unit="HU"), row(window=[-160.0, 240.0], unit="HU")

    (compared,) = compare_rows([stored], [new], tolerance=1e-5)

    assert [vars(each) for each in compared.fields] == [
        {"field": "window", "stored": [-1000.0, 400.0], "new": [-160.0, 240.0]}
    ]


def test_rows_are_matched_by_what_they_show_and_not_by_their_order():
    whole, first, second = row(), row(roi="GTV", roi_number=1), row(roi="GTV", roi_number=2)

    assert verdicts([whole, first], [second, whole]) == ["same", "missing", "new"]


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        pytest.param([row(), row(roi="GTV")], {}, id="both"),
        pytest.param([row()], {"regions": "whole"}, id="whole volumes"),
        pytest.param([row(roi="GTV"), row(roi="heart")], {"regions": "all"}, id="regions"),
        pytest.param([row(roi="GTV"), row(roi="GTV")], {"roi": "GTV"}, id="one name"),
        pytest.param(
            [
                row(series_chosen_by="asked"),
                row(series_chosen_by="asked", series_uid="1.2.4", roi="GTV"),
            ],
            {"series": "1.2.3,1.2.4"},
            id="named series",
        ),
        pytest.param(
            [
                row(
                    quality=[
                        {"code": code}
                        for code in ("UNTRAINED_MODALITY", "GAPS_BEYOND_LIMIT", "PT_NOT_SUV")
                    ]
                ),
                row(roi="GTV", series_chosen_by="all"),
            ],
            {
                "allow": "untrained_modality",
                "lenient": "true",
                "pt_unit": "stored",
                "series": "all",
            },
            id="what had to be allowed",
        ),
    ],
)
def test_options_that_are_not_stated_follow_from_the_rows(rows, options):
    assert options_of(rows) == options


def write(folder, *rows, name="r"):
    outcome = Outcome("lungs", {"regions": "whole"})
    outcome.studies.append({"study": "s", "rows": [dict(each) for each in rows]})
    (folder / f"{name}.json").write_text(outcome.as_json(with_features=True))
    (folder / f"{name}.provenance.json").write_text(outcome.as_json(with_features=False))
    lines = ["PatientID,Modality,ROI,f_0,f_1"]
    lines += [",".join(map(str, ["A", "CT", each["roi"], *each["features"]])) for each in rows]
    (folder / f"{name}.csv").write_text("\r\n".join(lines) + "\r\n")


def test_a_csv_and_its_provenance_are_read_as_the_json_is(tmp_path):
    write(tmp_path, row(), row(roi="GTV", features=[1.0, 2.0]))

    of_json, of_csv = (read_result(tmp_path / f"r.{form}") for form in ("json", "csv"))

    assert of_csv == of_json
    assert (of_csv.model, of_csv.options) == ("lungs", {"regions": "whole"})
    assert of_csv.rows[1]["features"] == [1.0, 2.0]


def spoil(folder, case):
    if case == "sorted":
        header, *lines = (folder / "r.csv").read_text().splitlines()
        (folder / "r.csv").write_text("\n".join([header, *lines[::-1]]))
    elif case == "shortened":
        (folder / "r.csv").write_text("PatientID,Modality,ROI,f_0,f_1\n")
    elif case == "words":
        (folder / "r.csv").write_text((folder / "r.csv").read_text().replace("4.0", "four"))
    elif case == "alone":
        (folder / "r.provenance.json").unlink()
    else:
        (folder / "r.provenance.json").write_text(case)


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("sorted", "line 2 of .* is of another row than its provenance says"),
        ("shortened", "has 0 rows, and its provenance 2"),
        ("words", "line 2 of .*: a feature is no number"),
        ("alone", "r.provenance.json is missing"),
        ("{", "is no JSON"),
        ("[]", "is not what deepfeatures extract writes"),
        ('{"studies": 3}', "is not what deepfeatures extract writes"),
    ],
)
def test_a_csv_that_does_not_fit_its_provenance_is_refused(tmp_path, case, sentence):
    write(tmp_path, row(), row(roi="GTV"))
    spoil(tmp_path, case)

    with pytest.raises(ResultError, match=sentence):
        read_result(tmp_path / "r.csv")


def test_rows_without_what_they_are_compared_by_are_refused(tmp_path):
    write(tmp_path, {name: value for name, value in row().items() if name != "series_uid"})

    with pytest.raises(ResultError, match="row 1 of .* has no series_uid"):
        read_result(tmp_path / "r.json")


def test_weights_that_a_version_has_are_named_with_the_way_back(tmp_path):
    repository = data_folder("model_repository")
    digest = parameters_of(repository / "ct3dcnn__v1_preprocess")["weights_sha256"]
    store = Store(tmp_path, repository)
    served_later(tmp_path, repository, digest)

    def advice(stored, model="ct3dcnn"):
        rows = compare_rows([row(weights_sha256=stored)], [row()], tolerance=1e-5)
        (sentence,) = weights_advice(rows, store, model)
        return sentence

    assert "`deepfeatures models rollback ct3dcnn --to 1` serves it again" in advice(digest)
    assert "ct3dcnn__v1 has them; --model ct3dcnn asks" in advice(digest, model="lungs")
    assert f"no version in {tmp_path} has them" in advice("unknown")


def served_later(folder, repository, digest):
    """A version 2 with other weights, which is the one that is served."""
    for part in ("preprocess", "extractor"):
        later = folder / f"ct3dcnn__v2_{part}"
        later.mkdir()
        config = (repository / f"ct3dcnn__v1_{part}" / "config.pbtxt").read_text()
        (later / "config.pbtxt").write_text(config.replace(digest, "0" * 64))
    (folder / "ct3dcnn").mkdir()
    ensemble = (repository / "ct3dcnn" / "config.pbtxt").read_text()
    (folder / "ct3dcnn" / "config.pbtxt").write_text(ensemble.replace("__v1_", "__v2_"))


def call(*words):
    command = [sys.executable, "-m", "tools.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_extract_wrote_is_verified_and_what_was_changed_is_found(server, tmp_path, form):
    study, out = tmp_path / "study.zip", tmp_path / f"all.{form}"
    study.write_bytes(study_with(TUMOUR))
    shutil.copy(data_folder("sample") / "ct-chest-lidc-16.zip", tmp_path / "sample.zip")
    where = ("--url", server.http_url)
    assert call("extract", tmp_path, "--out", out, *where).returncode == 0

    good = call("verify", out, "--study", study, *where)

    assert (good.returncode, good.stderr) == (0, "")
    assert "2 of 2 rows are the same" in " ".join(good.stdout.split())
    labels = out if form == "json" else out.with_suffix(".provenance.json")
    document = json.loads(labels.read_text())
    (of_study,) = [each for each in document["studies"] if each["study"].endswith("study.zip")]
    of_study["rows"][1]["window"] = [-160.0, 240.0]
    labels.write_text(json.dumps(document))
    changed = call("verify", out, "--study", study, "--json", *where)
    found = json.loads(changed.stdout)
    assert (changed.returncode, found["same"]) == (1, False)
    assert [each["verdict"] for each in found["rows"]] == ["same", "features same"]
    assert [each["relative_l2"] for each in found["rows"]] == [0.0, 0.0]
    assert found["rows"][1]["fields"] == [
        {"field": "window", "stored": [-160.0, 240.0], "new": [-1000.0, 400.0]}
    ]


def test_a_study_that_is_not_in_the_result_is_refused(tmp_path):
    write(tmp_path, row())
    study = tmp_path / "other.zip"
    study.write_bytes(zip_of(*slices(SMALL, StudyInstanceUID="1.2.9")))

    refused = call("verify", tmp_path / "r.json", "--study", study)

    assert refused.returncode == 2
    assert "the result has no row of the study 1.2.9: it has those of 1.2" in refused.stderr
    study.write_bytes(zip_of(*slices(SMALL, StudyInstanceUID="1.2")))
    refused = call("verify", tmp_path / "r.json", "--study", study)
    assert refused.returncode == 2
    assert "under another PatientID" in refused.stderr
    assert "PHANTOM" not in refused.stderr


def test_verify_wants_a_study():
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["verify", "r.json"])
