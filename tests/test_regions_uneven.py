"""Regions drawn on slices at uneven distances have no empty planes where slices were made."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from phantoms import slices, thorax, zip_of
from test_regions_objects import contour, rtstruct, seg, square

from imaging.archive import Limits
from imaging.options import Options
from imaging.preprocess import nifti_files

SHAPE = (10, 12)
LEFT, TOP = -31.5, -55.25
EDGES_MM = ((LEFT + 2.5 * 1.5, TOP + 1.75 * 2.5), (LEFT + 2.5 * 6.5, TOP + 1.75 * 8.5))
MISSING = [4.0 * k for k in range(40) if k not in (14, 15, 30)]
HEAD = [2.5 * k for k in range(13)] + [30 + 5.0 * k for k in range(1, 11)]


def uneven(heights_mm, *, tilt=0.0):
    """CT slices at these heights, which slide to the back by `tilt` mm a mm of height."""
    objects = slices(thorax(shape=(*SHAPE, len(heights_mm))))
    thick = np.diff(heights_mm, prepend=heights_mm[0] - heights_mm[1])
    for each, height_mm, thick_mm in zip(objects, heights_mm, thick, strict=True):
        each.ImagePositionPatient = [LEFT, TOP + tilt * height_mm, height_mm]
        each.SliceThickness = min(thick_mm, 5.0) if heights_mm is HEAD else 4.0
    return objects


def mask_of(objects, source):
    """The mask on the even grid, and where its planes lie in mm."""
    rows = nifti_files(
        memoryview(zip_of(*objects, source)),
        options=Options.from_parameters({"masks": "true"}),
        limits=Limits(),
    )
    image = nib.Nifti1Image.from_bytes(gzip.decompress(rows.files[1]))
    planes = np.arange(image.shape[2])
    heights_mm = image.affine[2, 3] + image.affine[2, 2] * planes
    return np.asarray(image.dataobj), heights_mm, rows.labels[1]


def expected(shape, heights_mm, lowest_mm, highest_mm):
    mask = np.zeros(shape, np.uint8)
    inside = (heights_mm > lowest_mm - 1e-3) & (heights_mm < highest_mm + 1e-3)
    mask[2:7, 3:9, inside] = 1
    return mask


@pytest.mark.parametrize("tilt", [0.0, 0.3, -0.2])
@pytest.mark.parametrize("heights_mm", [MISSING, HEAD], ids=["missing", "head"])
def test_contours_on_each_slice_leave_no_made_plane_empty(heights_mm, tilt):
    objects = uneven(heights_mm, tilt=tilt)
    drawn = heights_mm[3:-3]
    contours = [contour(square(*((x, y + tilt * z, z) for x, y in EDGES_MM))) for z in drawn]

    mask, planes_mm, label = mask_of(objects, rtstruct(objects, [("Lesion", contours)]))

    np.testing.assert_array_equal(mask, expected(mask.shape, planes_mm, drawn[0], drawn[-1]))
    assert label["roi_notes"] == ["contours_spread"]
    assert label["fraction_inside"] == 1


@pytest.mark.parametrize("heights_mm", [MISSING, HEAD], ids=["missing", "head"])
def test_frames_on_each_slice_leave_no_made_plane_empty(heights_mm):
    objects = uneven(heights_mm)
    drawn = heights_mm[3:-3]
    pixels = np.zeros((SHAPE[1], SHAPE[0]), bool)
    pixels[3:9, 2:7] = True
    frames = [(1, [LEFT, TOP, z], pixels) for z in drawn]

    mask, planes_mm, _ = mask_of(objects, seg(objects, frames, spacing_mm=(1.75, 2.5)))

    np.testing.assert_array_equal(mask, expected(mask.shape, planes_mm, drawn[0], drawn[-1]))


def test_slices_that_have_no_contour_stay_empty_beside_made_planes():
    objects = uneven(MISSING)
    drawn = [z for z in MISSING[8:28] if z not in (80.0, 84.0)]
    contours = [contour(square(*((x, y, z) for x, y in EDGES_MM))) for z in drawn]

    mask, planes_mm, label = mask_of(objects, rtstruct(objects, [("Lesion", contours)]))

    wanted = expected(mask.shape, planes_mm, drawn[0], drawn[-1])
    wanted[:, :, (planes_mm == 80) | (planes_mm == 84)] = 0
    np.testing.assert_array_equal(mask, wanted)
    assert "slices_without_contours" in label["roi_notes"]


def test_frames_of_a_tilted_gantry_are_not_resampled():
    objects = uneven([4.0 * k for k in range(8)], tilt=0.3)
    pixels = np.zeros((SHAPE[1], SHAPE[0]), bool)
    pixels[3:9, 2:7] = True
    frames = [(1, list(map(float, each.ImagePositionPatient)), pixels) for each in objects[2:6]]

    mask, planes_mm, label = mask_of(objects, seg(objects, frames, spacing_mm=(1.75, 2.5)))

    np.testing.assert_array_equal(mask, expected(mask.shape, planes_mm, 8, 20))
    assert label["roi_notes"] == []
