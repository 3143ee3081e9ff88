"""PET in SUVbw, or in the unit of its objects where that is asked for."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from phantoms import Phantom, slices, zip_of
from pydicom.dataset import Dataset
from shared_folder import SHARED
from test_network_input import PARAMETERS
from test_shared_cases import reference
from test_suv import SLICE, TRACER, dataset

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import feature_inputs, nifti_files
from imaging.recipe import Recipe

ACTIVITY = Phantom(
    np.random.default_rng(4).integers(0, 9000, (12, 10, 8)).astype(np.int16),
    (4.0, 4.5, 3.0),
    (-20.0, -20.0, 50.0),
)
PER_STEP = 8e-4
"""SUVbw of one stored step: tests/test_suv.py has the calculation."""


def pet_slices(**changes):
    """The phantom as classic PET objects of an FDG scan, with some attributes changed."""
    header = {
        **SLICE,
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128",
        "Modality": "PT",
        "RadiopharmaceuticalInformationSequence": [dataset(TRACER)],
        **changes,
    }
    stated = {name: value for name, value in header.items() if value is not None}
    return slices(ACTIVITY, **stated)


def features(*objects, **options):
    recipe = PARAMETERS | {
        "window_PT": "0,20 SUVbw",
        "window_PT_stored": "0.5,99.5 percentile",
        "trained_modalities": "PT",
    }
    return feature_inputs(
        memoryview(zip_of(*objects)),
        recipe=Recipe.from_parameters(recipe),
        options=Options.from_parameters(options),
        limits=Limits(),
    )


def converted(*objects, **options):
    rows = nifti_files(
        memoryview(zip_of(*objects)), options=Options.from_parameters(options), limits=Limits()
    )
    return ras(rows.files[0]).get_fdata(), rows.labels[0]


def test_pet_goes_to_a_network_as_suv():
    label = features(*pet_slices()).labels[0]

    assert (label["unit"], label["window"]) == ("SUVbw", [0, 20])
    assert label["uptake_minutes"] == pytest.approx(110)
    assert "PT_NOT_SUV" not in {each["code"] for each in label["quality"]}


def test_pet_without_what_suv_needs_is_refused_by_the_names_of_what_is_missing():
    with pytest.raises(InputError, match="^suv_impossible: .*no PatientWeight"):
        features(*pet_slices(PatientWeight=None))


def test_pet_is_given_in_its_own_unit_when_asked_for_and_says_so():
    label = features(*pet_slices(PatientWeight=None), pt_unit="stored").labels[0]

    assert label["unit"] == "BQML"
    assert {"code": "PT_NOT_SUV", "severity": "exclude", "number": 1.0} in label["quality"]
    low, high = label["window"]
    assert 0 < low < high < 2 * 9000  # percentiles of the series, in Bq/ml


def test_a_model_without_a_window_for_stored_pet_refuses_it():
    recipe = Recipe.from_parameters(PARAMETERS | {"trained_modalities": "PT"})

    with pytest.raises(InputError, match="^no_window: "):
        feature_inputs(
            memoryview(zip_of(*pet_slices())),
            recipe=recipe,
            options=Options(pt_unit="stored"),
            limits=Limits(),
        )


def test_pet_is_converted_in_its_own_unit_and_in_suv_when_asked_for():
    objects = pet_slices()
    stored = np.asarray(ACTIVITY.voxels[::-1, ::-1, :], float)  # LPS+ to RAS+

    own, own_label = converted(*objects)
    suv, suv_label = converted(*objects, pt_unit="suv")

    assert (own_label["unit"], suv_label["unit"]) == ("BQML", "SUVbw")
    np.testing.assert_allclose(own, 2 * stored, rtol=1e-6)
    np.testing.assert_allclose(suv, PER_STEP * stored, rtol=1e-6)


def test_the_tracer_is_told_by_the_meaning_of_its_code():
    code = Dataset()
    code.CodeValue, code.CodeMeaning = "C-B1031", "Fluorodeoxyglucose F^18^"
    tracer = dataset(TRACER)
    tracer.RadiopharmaceuticalCodeSequence = [code]

    coded = features(*pet_slices(RadiopharmaceuticalInformationSequence=[tracer])).labels[0]
    named = features(*pet_slices()).labels[0]

    assert coded["acquisition"]["tracer"] == "Fluorodeoxyglucose F^18^"
    assert named["acquisition"]["tracer"] == "FDG"
    assert "contrast" not in named["acquisition"]


OBJECTS = sorted((SHARED / "suv").glob("*.zip"))


@pytest.mark.parametrize("archive", OBJECTS, ids=lambda file: file.stem)
def test_a_reference_object_has_its_suv_inside_its_region(archive):
    """Minimum 0.20, median 1.00, maximum 4.00 g/ml in the region of its RTSTRUCT."""
    rows = nifti_files(
        memoryview(archive.read_bytes()),
        options=Options.from_parameters({"pt_unit": "suv", "masks": "true"}),
        limits=Limits(),
    )
    suv, mask = (
        nib.Nifti1Image.from_bytes(gzip.decompress(file)).get_fdata() for file in rows.files
    )

    inside = np.sort(suv[mask > 0])
    step = np.diff(np.unique(inside)).min()  # of the stored numbers; half of one is allowed
    found = (inside[0], np.median(inside), inside[-1])
    np.testing.assert_allclose(found, (0.2, 1.0, 4.0), atol=max(step, 0.005))
    assert [label["kind"] for label in rows.labels] == ["image", "mask"]


def test_the_suv_of_a_real_scan_equals_the_published_volume(shared_data):
    """A crop by the IBSI, who stored it anew: each slice in 32767 steps, cut and not rounded."""
    case = "pet-wholebody-rtstruct"
    truth = reference(shared_data, case, "truth_ibsi_suvbw_crop_image.nii.gz")
    study = memoryview((shared_data / "dicom" / f"{case}.zip").read_bytes())
    stored, suv = (
        ras(nifti_files(study, options=Options(pt_unit=unit), limits=Limits()).files[0])
        for unit in ("", "SUVbw")
    )

    i, j, k, _ = np.rint(np.linalg.inv(suv.affine) @ truth.affine[:, 3]).astype(int)
    columns, lines, planes = truth.shape
    cut = suv.get_fdata()[i : i + columns, j : j + lines, k : k + planes]
    expected = truth.get_fdata()
    step = expected.max(axis=(0, 1)) / 32767
    assert np.abs((cut - expected) / step).max() < 1.01
    # By hand: weight in g / (dose x 2 ** -(2711 s / half-life)).
    factor = 0.0002429029766148455
    np.testing.assert_allclose(suv.get_fdata(), factor * stored.get_fdata(), rtol=1e-6)


def ras(file):
    return nib.as_closest_canonical(nib.Nifti1Image.from_bytes(gzip.decompress(file)))
