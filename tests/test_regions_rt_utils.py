"""Regions agree with rt-utils, which writes and fills contours by OpenCV, independently of us."""

import io
import zipfile
from itertools import chain

import numpy as np
import pydicom
import pytest
from phantoms import Phantom, file_bytes, slices
from rt_utils import RTStructBuilder, image_helper
from test_regions import found_in
from test_regions_objects import RTSTRUCT, grid_of, rtstruct

from imaging.archive import Limits
from imaging.regions import drawings_in, regions_in
from imaging.series import is_image
from imaging.study import Study

FINER = 5
"""OpenCV fills whole pixels, those of the edge included: of finer pixels, a tenth of a voxel."""

# rt-utils takes rows for columns, in sizes and in spacings: it needs pictures and pixels of equal
# sides.
SIDE = 192
PHANTOM = Phantom(np.zeros((SIDE, SIDE, 6), np.int16), (1.2, 1.2, 3.0), (-101.0, -88.5, 40.0))


def shapes():
    """Masks [row, column, slice], each in slices 1 to 4: round, concave, and with a hole."""
    row, column = np.mgrid[:SIDE, :SIDE]
    radius = np.hypot(row - 90, column - 101)
    angle = np.arctan2(row - 90, column - 101)
    planes = {
        "round": radius < 62,
        "concave": (radius < 70) & (np.abs(angle) > 0.5),
        "star": radius < 60 + 20 * np.sin(3 * angle),
        "with a hole": (radius < 80) & (np.hypot(row - 80, column - 110) > 28),
    }
    for name, plane in planes.items():
        mask = np.zeros((SIDE, SIDE, 6), bool)
        mask[:, :, 1:5] = plane[:, :, np.newaxis]
        yield name, mask


SHAPES = dict(shapes())


def agree(mask, other):
    """Say how alike two masks [i, j, k] are: Dice, and the distance of centres along each axis."""
    dice = 2 * (mask & other).sum() / (mask.sum() + other.sum())
    return dice, np.abs(np.argwhere(mask).mean(axis=0) - np.argwhere(other).mean(axis=0))


def filled_by_rt_utils(image, contours):
    """What rt-utils makes of contours, bool [i, j, k], at the voxels' centres.

    contours: the numbers of ContourData of each, by slice of the image, in the image's order.
    """
    fine = [finer(each) for each in image]
    to_pixel = image_helper.get_patient_to_pixel_transformation_matrix(fine)
    mask = np.zeros((int(image[0].Columns), int(image[0].Rows), len(image)), bool)
    for k, numbers in contours.items():
        picture = image_helper.get_slice_mask_from_slice_contour_data(fine[k], numbers, to_pixel)
        mask[:, :, k] = picture[FINER // 2 :: FINER, FINER // 2 :: FINER].T
    return mask


def finer(image):
    """The geometry of a slice with its pixels divided; the middle one has the pixel's centre."""
    fine = pydicom.Dataset()
    first, *_ = (float(each) for each in image.PixelSpacing)
    shift_mm = first / FINER * (FINER // 2)
    directions = np.reshape(image.ImageOrientationPatient, (2, 3)).astype(float)
    fine.ImagePositionPatient = list(
        np.array(image.ImagePositionPatient, float) - shift_mm * directions.sum(axis=0)
    )
    fine.ImageOrientationPatient = image.ImageOrientationPatient
    fine.PixelSpacing = [first / FINER] * 2
    fine.Rows, fine.Columns = image.Rows * FINER, image.Columns * FINER
    return fine


@pytest.fixture(scope="module")
def image():
    return slices(PHANTOM, StudyID="", StudyDate="", StudyTime="")  # rt-utils copies these


@pytest.mark.filterwarnings("ignore:'FileDataset.is_:DeprecationWarning")  # rt-utils sets them
def test_masks_that_rt_utils_wrote_come_back(image, tmp_path):
    for number, each in enumerate(image):
        (tmp_path / f"{number}.dcm").write_bytes(file_bytes(each))
    written = RTStructBuilder.create_new(str(tmp_path))
    for name, mask in SHAPES.items():
        written.add_roi(mask=mask, name=name)

    found, grid = found_in(image, file_bytes(written.ds))

    assert [region.name for region in found.regions] == list(SHAPES)
    for region in found.regions:
        dice, away = agree(region.mask.on(grid.shape), SHAPES[region.name].transpose(1, 0, 2))
        # Its contours run through the middle of the outermost pixels, so half of these is lost.
        assert dice >= 0.98, region.name
        assert away.max() <= 0.5, region.name


TURNS = np.linspace(0, 2 * np.pi, 720, endpoint=False)


def outline(radius_mm):
    """A closed line around a point of the phantom's planes, by its radius at each of TURNS."""
    directions = np.stack((np.cos(TURNS), np.sin(TURNS)), axis=1)
    return (12.3, 20.9) + np.reshape(radius_mm, (-1, 1)) * directions


OUTLINES = {
    "round": [outline(31.7)],
    "small": [outline(7.3)],
    "star": [outline(40 + 22 * np.sin(5 * TURNS))],
    "with a hole": [outline(52.0), outline(21 + 4 * np.cos(TURNS))],
}


@pytest.mark.parametrize("lines", OUTLINES.values(), ids=OUTLINES)
def test_contours_are_filled_as_by_rt_utils(image, lines):
    z = [float(each.ImagePositionPatient[2]) for each in image]
    contours = {
        k: [np.insert(line, 2, z[k], axis=1) for line in lines] for k in range(1, len(image) - 1)
    }
    source = rtstruct(image, [("Lesion", [*chain(*contours.values())])])

    found, grid = found_in(image, source)

    (region,) = found.regions
    numbers = {k: [each.ravel() for each in points] for k, points in contours.items()}
    dice, away = agree(region.mask.on(grid.shape), filled_by_rt_utils(image, numbers))
    assert dice >= 0.98
    assert away.max() <= 0.25


def test_the_regions_of_a_real_case_are_filled_as_by_rt_utils(shared_data):
    content = (shared_data / "dicom" / "ct-chest-rtstruct-lung1.zip").read_bytes()
    study = Study.from_zip(memoryview(content), Limits())
    series = next(each for each in study.series if is_image(each))
    grid = grid_of(series.instances)
    found = regions_in(drawings_in(study.series, Limits()), series, grid, Limits())
    image, contours = slices_and_contours(content)

    regions = [region for region in found.regions if region.name != "Lung-Right"]  # takes seconds
    assert len(regions) == 3
    for region in regions:
        independent = filled_by_rt_utils(image, contours[region.number])
        dice, away = agree(region.mask.on(grid.shape), independent)
        assert dice >= 0.98
        assert away.max() <= 0.25


def slices_and_contours(content):
    """The slices of a case of axial CT, upwards, and ContourData of each region by its slice."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = [name for name in archive.namelist() if not name.endswith("/")]
        objects = [pydicom.dcmread(io.BytesIO(archive.read(name)), force=True) for name in files]
    (structures,) = (each for each in objects if each.get("SOPClassUID") == RTSTRUCT)
    image = [each for each in objects if "ImagePositionPatient" in each]
    image.sort(key=image_helper.get_slice_position)
    z_mm = np.array([float(each.ImagePositionPatient[2]) for each in image])
    contours = {}
    for region in structures.ROIContourSequence:
        by_slice = contours.setdefault(int(region.ReferencedROINumber), {})
        for each in region.ContourSequence:
            k = int(np.abs(z_mm - float(each.ContourData[2])).argmin())
            by_slice.setdefault(k, []).append(np.array(each.ContourData, float))
    return image, contours
