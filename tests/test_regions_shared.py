"""Regions of real cases equal the masks of IBSI and dcmqi, and those generated from contours."""

import nibabel as nib
import numpy as np
import pytest
from test_regions_objects import grid_of

from imaging.archive import Limits
from imaging.regions import drawings_in, regions_in
from imaging.regions.measures import centre_ras_mm
from imaging.series import CLASSIC_IMAGES, without_copies
from imaging.study import Study

LUNG1 = "ct-chest-rtstruct-lung1"
STS001 = "pet-wholebody-rtstruct"
STS002 = "multi-sts002-flat-junk"
LIVER = "ct-liver-seg-3slice"
BITS = "seg-bitpack-24x38x3"

MASKS = [
    (STS002, "CT", "GTV_Mass_CT", "truth_ibsi_STS_002_CT_mask", 1),
    (STS002, "PT", "GTV_Mass_PET", "truth_ibsi_STS_002_PET_mask", 1),
    (STS002, "MR", "GTV_Mass_MR_T1", "truth_ibsi_STS_002_MR_T1_mask", 1),
    (STS001, "PT", "GTV_Mass", "generated_mask_GTV_Mass", 1),
    (STS001, "PT", "GTV_Edema", "generated_mask_GTV_Edema", 1),
    (LUNG1, "CT", "GTV-1", "generated_mask_GTV-1", 1),
    (LUNG1, "CT", "Spinal-Cord", "generated_mask_Spinal-Cord", 1),
    (LUNG1, "CT", "Lung-Left", "generated_mask_Lung-Left", 1),
    (LUNG1, "CT", "Lung-Right", "generated_mask_Lung-Right", 1),
    (LIVER, "CT", "Liver", "truth_dcmqi_liver_seg", 1),
    (LIVER, "CT", "GREEN", "truth_dcmqi_partial_overlaps-1", 1),
    (LIVER, "CT", "ORANGE", "truth_dcmqi_partial_overlaps-2", 2),
    (LIVER, "CT", "PURPLE", "truth_dcmqi_partial_overlaps-3", 3),
    (LIVER, "CT", "LIGHT_BLUE", "truth_dcmqi_partial_overlaps-1", 4),
    (LIVER, "CT", "DARK_BLUE", "truth_dcmqi_partial_overlaps-1", 5),
    (BITS, "CT", "Liver", "truth_dcmqi_label", 1),
    (BITS, "CT", "Liver", "truth_dcmqi_sparse_labelmap", 1),
    ("mr-breast-dce-seg", "MR", "Breast", "generated_seg_on_image_grid", 255),
]


@pytest.fixture(scope="module")
def found_in_case(shared_data):
    """Returns regions and grids of every image series of a case, which is read once."""
    known = {}

    def found(case):
        if case not in known:
            known.clear()
            known[case] = list(_found(shared_data / "dicom" / f"{case}.zip"))
        return known[case]

    return found


def _found(path):
    study = Study.from_zip(memoryview(path.read_bytes()), Limits())
    for series in study.series:
        instances = without_copies(series.instances)
        places = {tuple(each.texts("ImagePositionPatient")) for each in instances}
        if series.sop_class in CLASSIC_IMAGES and len(places) == len(instances) > 1:
            grid = grid_of(instances)
            yield (
                series,
                grid,
                regions_in(drawings_in(study.series, Limits()), series, grid, Limits()),
            )


@pytest.mark.parametrize(("case", "modality", "name", "file", "value"), MASKS)
def test_a_region_equals_the_reference_mask_and_has_its_centre(
    shared_data, found_in_case, case, modality, name, file, value
):
    reference = nib.load(shared_data / "reference" / case / f"{file}.nii.gz")
    expected = nib.as_closest_canonical(reference)
    inside = expected.get_fdata() == value

    equal = [
        (region, grid, image)
        for series, grid, found in found_in_case(case)
        for region in found.regions
        if (series.modality, region.name) == (modality, name) and region.fraction_inside == 1
        for image in [canonical(region, grid)]
        if np.array_equal(image.get_fdata() > 0, inside)
    ]

    assert equal, "no region has these voxels"
    region, grid, image = equal[0]
    np.testing.assert_allclose(image.affine, expected.affine, atol=1e-4)
    centre_mm = nib.affines.apply_affine(expected.affine, np.argwhere(inside).mean(axis=0))
    away_mm = np.abs(centre_ras_mm(region.mask, grid, "centroid") - centre_mm)
    assert away_mm.max() < min(expected.header.get_zooms()[:3]) / 2


def canonical(region, grid):
    mask = region.mask.on(grid.shape).astype(np.uint8)
    return nib.as_closest_canonical(nib.Nifti1Image(mask, grid.affine))


@pytest.mark.parametrize("case", [LUNG1, STS001, STS002, LIVER, BITS, "mr-breast-dce-seg"])
def test_no_region_of_a_real_case_is_skipped(found_in_case, case):
    for _, _, found in found_in_case(case):
        assert found.regions
        assert not found.skipped


def test_a_region_drawn_on_one_modality_is_found_in_the_others(found_in_case):
    links = {
        (series.modality, region.name): region.link
        for series, _, found in found_in_case(STS002)
        for region in found.regions
    }

    assert len(links) == 9
    assert [key for key, link in links.items() if link == "series"] == [
        ("CT", "GTV_Mass_CT"),
        ("MR", "GTV_Mass_MR_T1"),
        ("PT", "GTV_Mass_PET"),
    ]
