"""Real series are converted as reference converters do, or by our own rules; else refused."""

import gzip
import json

import nibabel as nib
import numpy as np
import pytest

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import nifti_files
from tools.comparison.conversion import Conversion
from tools.comparison.pairing import paired
from tools.comparison.references import references_in

READ = {
    "ct-chest-lidc-16": 1,
    "ct-chest-rtstruct-lung1": 1,
    "ct-duplicates-sts008": 1,
    "ct-liver-seg-3slice": 1,
    "ct-orientation-phantom": 1,
    "ct-study-localizer-dicomdir": 1,
    "mr-localizer-3plane": 3,
    "mr-two-orientations-one-series": 2,
    "multi-sts002-flat-junk": 3,
    "pet-wholebody-rtstruct": 1,
    "seg-bitpack-24x38x3": 2,
    "ts-ct-bigendian": 1,
    "ts-ct-j2k90": 1,
    "ts-ct-jpegll70": 1,
    "ts-ct-jpegls80": 1,
    "ts-ct-rle": 1,
    "ts-mosaic-nine-syntaxes": 9,
    "ts-mr-j2k-4slice": 1,
    "ts-mr-jpegll-4slice": 1,
    "ts-mr-jpegls-4slice": 1,
    "ts-mr-rle-4slice": 1,
}
"""Cases of three dimensions, with their number of volumes."""

IN_TIME = {
    "mr-breast-dce-seg": 3,
    "mr-coronal-mosaic": 2,
    "mr-fmri-4d-ge": 10,
    "mr-mosaic-4d-siemens": 2,
}
"""Cases of time points, with their number; here each is a volume, the reference has four axes."""

REFUSED = {
    "ct-missing-slice-4": "uneven_spacing",
    "ct-same-position-4": "same_position",
    "mr-rgb-4slice": "no_images",
}

ENDS = {
    "mr-enhanced-t1-xa30": ((-89.5761, -97.906, -140.776), (100.424, -97.906, -140.776), 1.1e-4),
    "mr-jpegll-fragmented": ((-89.5761, -97.906, -140.776), (100.424, -97.906, -140.776), 0.0101),
    "mr-sagittal-decubitus-left": (
        (-81.599998474121, -128.984375, -128.984375),
        (81.599998474121, -128.984375, -128.984375),
        1.6e-4,
    ),
}
"""Cases whose reference lies further from the stated positions: where the first voxels of the first
and last slice lie by these (RAS+, in mm), and how far the reference's affine is off.

ImagePositionPatient is that of the upper front corner; the first voxel in closest-canonical
orientation is the lower back one: minus the y, and the z less 127 · 2 mm or 255 · 1.015625 mm.
"""

AFFINE_MM = 1e-4


def study(shared_data, case):
    return memoryview((shared_data / "dicom" / f"{case}.zip").read_bytes())


def answer(shared_data, case, options=None):
    return nifti_files(study(shared_data, case), options=options or Options(), limits=Limits())


def opened(file):
    return nib.Nifti1Image.from_bytes(gzip.decompress(file))


def converted(shared_data, case, options=None):
    return [opened(file) for file in answer(shared_data, case, options).files]


def reference(shared_data, case, name):
    """A volume of the reference converter, in closest-canonical orientation."""
    return nib.as_closest_canonical(nib.load(shared_data / "reference" / case / name))


def compared(shared_data, case):
    """Our volumes next to the reference's, file by file or by the manifest's hashes."""
    conversion = Conversion.of(study(shared_data, case), Options())
    return paired(conversion, references_in(shared_data / "reference" / case))


def same_affine(found, wanted):
    return np.abs(found - wanted).max() <= AFFINE_MM


@pytest.mark.parametrize("case", READ)
def test_a_real_series_equals_the_reference_conversion(shared_data, case):
    pairing = compared(shared_data, case)

    assert (len(pairing.pairs), pairing.ours) == (READ[case], [])
    for pair in pairing.pairs:
        assert pair.difference.is_equal
        assert pair.difference.affine_mm <= AFFINE_MM


@pytest.mark.parametrize("case", IN_TIME)
def test_time_points_are_volumes_in_order(shared_data, case):
    pairing = compared(shared_data, case)

    times = IN_TIME[case]
    stacks = [label["stack"] for label in answer(shared_data, case).labels]
    assert stacks[:times] == [f"time {number} of {times}" for number in range(1, times + 1)]
    assert (pairing.pairs[0].ours.members, pairing.ours) == (tuple(range(times)), [])
    for pair in pairing.pairs:
        assert pair.difference.is_equal
        assert pair.difference.affine_mm <= AFFINE_MM


def test_derived_maps_beside_time_points_are_volumes_of_their_own(shared_data):
    case = "mr-breast-dce-seg"
    _, _, _, enhancement, ratio = map(nib.as_closest_canonical, converted(shared_data, case))

    for found, name in ((enhancement, "21001_*PE1*"), (ratio, "21000_*SER*")):
        (file,) = (shared_data / "reference" / case).glob(f"{name}.nii.gz")
        wanted = reference(shared_data, case, file.name)
        np.testing.assert_allclose(found.get_fdata(), wanted.get_fdata(), rtol=1e-6)
        assert same_affine(found.affine, wanted.affine)


@pytest.mark.parametrize(
    ("case", "name", "stack"),
    [
        ("mr-dual-echo-phase", "1301_Dual-echo_iso_e1", "magnitude, echo 1"),
        ("mr-dual-echo-phase", "1301_Dual-echo_iso_e2", "magnitude, echo 2"),
        ("mr-dual-echo-phase", "1301_Dual-echo_iso_e1_ph", "phase, echo 1"),
        ("mr-dual-echo-phase", "1301_Dual-echo_iso_e2_ph", "phase, echo 2"),
        ("mr-enhanced-2echo-philips", "801_B0_NS_e1", "magnitude"),
        ("mr-enhanced-2echo-philips", "801_B0_NS_e2_fieldmaphz", "field map"),
    ],
)
def test_philips_values_are_by_the_standards_slope(shared_data, case, name, stack):
    """Not by the private precise one as in dcm2niix: the same up to a factor and an offset."""
    rows = answer(shared_data, case)
    names = [label["stack"] for label in rows.labels]

    found = nib.as_closest_canonical(opened(rows.files[names.index(stack)]))

    wanted = reference(shared_data, case, f"{name}.nii.gz")
    assert same_affine(found.affine, wanted.affine)
    np.testing.assert_allclose(from_0_to_1(found), from_0_to_1(wanted), atol=1e-6)


def from_0_to_1(image):
    values = image.get_fdata()
    return (values - values.min()) / np.ptp(values)


def test_philips_values_are_stored_ones_times_rescale_slope(shared_data):
    volumes = converted(shared_data, "mr-dual-echo-phase")

    wanted = reference(shared_data, "mr-dual-echo-phase", "1301_Dual-echo_iso_e1.nii.gz")
    stored = wanted.get_fdata() / 122.89949798583984  # the slope in dcm2niix' header
    found = nib.as_closest_canonical(volumes[0]).get_fdata()
    np.testing.assert_allclose(found, stored * 1.23663003663003, rtol=1e-6)
    assert volumes[2].get_fdata().min() == pytest.approx(-3142)  # the phase in milliradians


def test_an_undeclared_tilt_is_in_the_affine(shared_data):
    """The voxels of dcm2niix' raw stack, whose step is 5 mm shortened by the cosine of the tilt."""
    (found,) = converted(shared_data, "ct-tilt-nodeclared-4slice")

    raw = reference(shared_data, "ct-tilt-nodeclared-4slice", "4_.nii.gz")
    np.testing.assert_array_equal(nib.as_closest_canonical(found).dataobj, raw.dataobj)
    # The first and the last ImagePositionPatient of the objects, and their RAS+.
    np.testing.assert_allclose(
        found.affine[:3, 3], (106.791015625, 256.61886606561, -61.951915066986)
    )
    np.testing.assert_allclose(
        (found.affine @ (0, 0, 3, 1))[:3], (106.791015625, 256.61886606561, -46.951915066986)
    )


def test_a_tilted_head_of_two_thicknesses_is_set_on_even_steps(shared_data):
    rows = answer(shared_data, "ct-head-tilt-variable-ge")

    volume = opened(rows.files[0])
    folder = shared_data / "reference" / "ct-head-tilt-variable-ge"
    raw = json.loads((folder / "manifest.json").read_text())["volumes"][0]
    assert volume.shape == (512, 512, 37)
    # The first 14 slices are 4.22 mm apart on the table, 4 mm along their normal: they stay.
    planes = volume.get_fdata().mean(axis=(0, 1))
    np.testing.assert_allclose(planes[0], raw["per_k_slice_mean"][0], rtol=1e-5)
    numbers = {each["code"]: each["number"] for each in rows.labels[0]["quality"]}
    assert numbers["GAPS_INTERPOLATED"] == pytest.approx(7.0, abs=0.01)
    assert numbers["TILT_SHEARED"] == pytest.approx(18.5, abs=0.01)
    assert "SLICE_OVERLAP" not in numbers


def test_four_missing_slices_are_filled_and_the_others_kept(shared_data):
    (found,) = converted(shared_data, "ct-missing-slices-sts003")

    raw = reference(
        shared_data, "ct-missing-slices-sts003", "3_IBSI_1_STS_003_CT_image.nii.gz"
    ).get_fdata()
    filled = nib.as_closest_canonical(found).get_fdata()
    assert filled.shape == (154, 158, 51)
    missing = [17, 18, 19, 34]  # counted from 0
    np.testing.assert_array_equal(np.delete(filled, missing, axis=2), raw)
    between = raw[:, :, 16] + 0.25 * (raw[:, :, 17] - raw[:, :, 16])
    np.testing.assert_allclose(filled[:, :, 17], between, atol=1e-3)


def test_one_missing_slice_of_five_is_filled_leniently(shared_data):
    rows = answer(shared_data, "ct-missing-slice-4", Options(lenient=True))

    assert opened(rows.files[0]).shape == (512, 512, 5)
    codes = [each["code"] for each in rows.labels[0]["quality"]]
    assert {"GAPS_BEYOND_LIMIT", "GAPS_INTERPOLATED", "THICK_SLICES"} <= set(codes)


@pytest.mark.parametrize("case", ENDS)
def test_the_first_and_the_last_slice_lie_where_their_objects_say(shared_data, case):
    """dcm2niix counts its first gap, rounded, from one end on: it is off at the other end."""
    (found,) = map(nib.as_closest_canonical, converted(shared_data, case))

    first_mm, last_mm, reference_is_off_mm = ENDS[case]
    last = found.shape[0] - 1  # sagittal slices: they follow each other along i
    np.testing.assert_allclose(found.affine[:3, 3], first_mm, rtol=0, atol=2e-5)
    np.testing.assert_allclose((found.affine @ (last, 0, 0, 1))[:3], last_mm, rtol=0, atol=2e-5)
    (pair,) = compared(shared_data, case).pairs
    assert AFFINE_MM < pair.difference.affine_mm <= reference_is_off_mm
    assert pair.difference.is_equal


def test_a_deflated_series_equals_its_truth(shared_data):
    (found,) = converted(shared_data, "ts-ct-deflated")

    wanted = reference(shared_data, "ts-ct-deflated", "truth_image.nii.gz")
    canonical = nib.as_closest_canonical(found)
    np.testing.assert_array_equal(canonical.get_fdata(), wanted.get_fdata())
    assert same_affine(canonical.affine, wanted.affine)


def test_a_lossy_series_is_within_one_of_another_decoder(shared_data):
    (found,) = converted(shared_data, "ts-jpeg-baseline-8bit")

    wanted = reference(shared_data, "ts-jpeg-baseline-8bit", "9_fl3D_t1_sag.nii.gz")
    canonical = nib.as_closest_canonical(found)
    np.testing.assert_allclose(canonical.get_fdata(), wanted.get_fdata(), atol=1)
    assert same_affine(canonical.affine, wanted.affine)


@pytest.mark.parametrize("case", REFUSED)
def test_a_series_that_is_no_volume_is_refused_by_name(shared_data, case):
    with pytest.raises(InputError, match=f"^{REFUSED[case]}: "):
        converted(shared_data, case)


def test_every_shared_case_is_held_here(shared_data):
    alone = {
        "ct-head-tilt-variable-ge",
        "ct-missing-slices-sts003",
        "ct-tilt-nodeclared-4slice",
        "mr-dual-echo-phase",
        "mr-enhanced-2echo-philips",
        "ts-ct-deflated",
        "ts-jpeg-baseline-8bit",
    }
    cases = {file.stem for file in (shared_data / "dicom").glob("*.zip")}
    assert cases == alone | READ.keys() | ENDS.keys() | IN_TIME.keys() | REFUSED.keys()
