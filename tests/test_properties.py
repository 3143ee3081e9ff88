"""However a scanner wrote it, a body is the same volume at one place, with the same features.

Every example writes one phantom in another way: orientation, spacing, encoding, order of files.
What must come out is said in world coordinates, of the phantom alone.
"""

import gzip
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from pathlib import Path

import imagecodecs
import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from phantoms import AXIAL, CORONAL, SAGITTAL, Phantom, file_bytes, slices, thorax, zip_of
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from test_decoding import high_throughput, jpeg2000, run_lengths, unsigned
from test_network_input import inputs_of
from test_regions_objects import contour, rtstruct, seg
from test_stacks import enhanced

from imaging.archive import Limits
from imaging.options import Options
from imaging.preprocess import nifti_files

# It notes the constants of our code there, beside what pytest keeps.
set_hypothesis_home_dir(Path(__file__).parents[1] / ".pytest_cache" / "hypothesis")

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""RAS+ to LPS+, and back."""

FEW = {"shape": "24,20,16", "region_extent_mm": "40,32,48"}
"""A smaller network input, so that there is time for many examples."""


def properties(examples):
    """The same examples in every run, and none kept in the checkout."""
    return settings(derandomize=True, deadline=None, max_examples=examples, database=None)


def body(shape=(11, 13, 9), spacing_mm=(2.5, 1.75, 4.0)) -> Phantom:
    """The thorax with noise, in steps of 8 HU and within 8 bits of them."""
    whole = thorax(shape=shape, spacing_mm=spacing_mm)
    noise = np.random.default_rng(11).integers(-9, 9, shape)
    steps = np.clip(np.rint(whole.voxels / 8) + noise, -128, 127)
    return Phantom((8 * steps).astype(np.int16), spacing_mm, whole.origin_mm)


BODY = body()


# Ways of writing


def jpeg_lossless(plane, bits):
    return imagecodecs.jpeg8_encode(
        unsigned(plane, bits), bitspersample=bits, lossless=True, predictor=1
    )


PLAIN = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
CODED = {
    "RLE": (RLELossless, lambda plane, _: run_lengths(plane)),
    "JPEG lossless": (JPEGLosslessSV1, jpeg_lossless),
    "JPEG-LS": (
        JPEGLSLossless,
        lambda plane, bits: imagecodecs.jpegls_encode(unsigned(plane, bits)),
    ),
    "JPEG 2000": (JPEG2000Lossless, lambda plane, _: jpeg2000(plane)),
    "HTJ2K": (HTJ2KLossless, lambda plane, _: high_throughput(plane)),
}
KINDS = [
    ("u1", 8),
    ("i1", 8),
    ("u2", 12),
    ("i2", 12),
    ("u2", 16),
    ("i2", 16),
    ("u4", 32),
    ("i4", 32),
]
ENCODINGS = [
    (encoding, kind, bits)
    for encoding, (kind, bits) in product([*PLAIN, *CODED], KINDS)
    if bits < 32 or encoding in PLAIN  # PS3.5 8.2: no encoder takes 32 bits
]
ORIENTATIONS = [
    (tuple(row), tuple(column))
    for first, second in permutations(np.eye(3, dtype=int), 2)
    for row, column in product((first, -first), (second, -second))
]
"""The 24 that rows and columns along the axes of a phantom can have; files come in either order."""

UPRIGHT = (0, 0, 0)


@dataclass(frozen=True)
class Writing:
    """How a phantom is written.

    degrees: how far the whole lattice is turned about the patient's axes.
    encoding, kind, bits: transfer syntax, type of the numbers, and how many of their bits are used.
    scaled: whether each slice has a slope and an intercept of its own.
    framed: whether the slices are frames of one object.
    """

    orientation: tuple = AXIAL
    degrees: tuple = UPRIGHT
    encoding: str = "explicit"
    kind: str = "u2"
    bits: int = 16
    scaled: bool = False
    framed: bool = False

    @property
    def turn(self):
        return turn_of(self.degrees)

    def scale(self, k):
        """Slope and intercept of slice k: what leaves whole numbers of few enough bits."""
        offset = 0 if self.kind[0] == "i" else -1024
        if self.bits == 8:
            return 8, offset
        return (2 ** (k % 4), offset - 8 * (k % 3)) if self.scaled else (1, offset)

    def objects(self, phantom):
        """The phantom as DICOM objects."""
        objects = slices(phantom, self.orientation)
        planes = [self._store(each, k) for k, each in enumerate(objects)]
        if self.framed:
            objects, planes = [enhanced(objects)], [planes]
        else:
            planes = [[plane] for plane in planes]
        for each, frames in zip(objects, planes, strict=True):
            self._encode(each, np.array(frames))
        return objects

    def _store(self, dataset, k):
        """Set how the numbers of a slice are stored and where it lies; return the numbers."""
        hounsfield = pixels(dataset) - 1024
        slope, intercept = self.scale(k)
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept
        dataset.BitsAllocated = 8 * np.dtype(self.kind).itemsize
        dataset.BitsStored, dataset.HighBit = self.bits, self.bits - 1
        dataset.PixelRepresentation = int(self.kind[0] == "i")
        turned = np.reshape(dataset.ImageOrientationPatient, (2, 3)).astype(float) @ self.turn.T
        dataset.ImageOrientationPatient = decimals(turned.ravel())
        dataset.ImagePositionPatient = decimals(self.turn @ dataset.ImagePositionPatient)
        return ((hounsfield - intercept) // slope).astype(self.kind)

    def _encode(self, dataset, planes):
        if self.encoding in PLAIN:
            dataset.file_meta.TransferSyntaxUID = PLAIN[self.encoding]
            order = ">" if self.encoding == "big endian" else "<"
            dataset.PixelData = planes.astype(planes.dtype.newbyteorder(order)).tobytes()
            dataset["PixelData"].VR = "OB" if self.kind[1] == "1" else "OW"
            return
        dataset.file_meta.TransferSyntaxUID, encode = CODED[self.encoding]
        dataset.PixelData = encapsulate([encode(plane, self.bits) for plane in planes])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True


def pixels(dataset):
    """The numbers of a slice of phantoms.slices."""
    stored = np.frombuffer(dataset.PixelData, "<u2").astype(int)
    return stored.reshape(dataset.Rows, dataset.Columns)


def decimals(numbers):
    """Numbers with few enough digits for DICOM (PS3.5 6.2, DS: 16 characters)."""
    return [round(float(number), 9) for number in numbers]


def turn_of(degrees):
    """A rotation about x, then y, then z."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        about = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        about[i, i] = about[j, j] = np.cos(angle)
        about[i, j], about[j, i] = -np.sin(angle), np.sin(angle)
        matrix = about @ matrix
    return matrix


orientations = st.sampled_from(ORIENTATIONS)
turns = st.just(UPRIGHT) | st.tuples(*[st.floats(-14, 14)] * 3)
spacings = st.tuples(*[st.integers(50, 600).map(lambda steps: steps / 100)] * 3)


@st.composite
def writings(draw):
    encoding, kind, bits = draw(st.sampled_from(ENCODINGS))
    return Writing(
        draw(orientations),
        draw(turns),
        encoding,
        kind,
        bits,
        scaled=draw(st.booleans()),
        framed=draw(st.booleans()),
    )


# What must come out


def nifti(study):
    (file,) = nifti_files(memoryview(study), options=Options(), limits=Limits()).files
    return nib.Nifti1Image.from_bytes(gzip.decompress(file))


def lattice(phantom, degrees=UPRIGHT):
    """The affine of a phantom: from indices to mm, LPS+."""
    affine, turn = np.eye(4), turn_of(degrees)
    affine[:3, :3] = turn @ np.diag(phantom.spacing_mm)
    affine[:3, 3] = turn @ phantom.origin_mm
    return affine


def assert_in_place(image, phantom, degrees=UPRIGHT):
    """Every voxel of the image is the phantom's at the same place in the world."""
    index = np.linalg.inv(lattice(phantom, degrees)) @ LPS @ image.affine
    whole = np.rint(index)
    np.testing.assert_allclose(index, whole, atol=1e-4)
    assert abs(np.linalg.det(whole)) == 1
    voxels = np.indices(image.shape).reshape(3, -1)
    x, y, z = (whole[:3, :3] @ voxels + whole[:3, 3:]).astype(int)
    np.testing.assert_array_equal(np.asarray(image.dataobj).ravel(), phantom.voxels[x, y, z])


@cache
def reference(**changes):
    """What the network sees of the body as axial slices."""
    return inputs_of(zip_of(*slices(BODY)), **(FEW | changes)).volumes[0]


# The properties


@properties(250)
@given(writings(), spacings)
def test_a_body_is_where_it_was_however_it_was_written(writing, spacing_mm):
    phantom = body(spacing_mm=spacing_mm)

    image = nifti(zip_of(*writing.objects(phantom)))

    assert image.get_fdata().size == phantom.voxels.size
    assert_in_place(image, phantom, writing.degrees)
    np.testing.assert_allclose(image.get_qform(), image.affine, atol=1e-3)


@properties(150)
@given(writings())
def test_the_network_sees_the_same_however_it_was_written(writing):
    rows = inputs_of(zip_of(*writing.objects(BODY)), **FEW)

    np.testing.assert_allclose(rows.volumes[0], reference(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_each_orientation_is_in_place(orientation):
    objects = slices(BODY, orientation)

    assert_in_place(nifti(zip_of(*objects)), BODY)
    assert_in_place(nifti(zip_of(*reversed(objects))), BODY)


@pytest.mark.parametrize(("encoding", "kind", "bits"), ENCODINGS)
def test_a_lossless_encoding_changes_no_bit(encoding, kind, bits):
    writing = Writing(SAGITTAL, encoding=encoding, kind=kind, bits=bits)

    rows = inputs_of(zip_of(*writing.objects(BODY)), **FEW)

    np.testing.assert_array_equal(rows.volumes[0], sagittal())


@cache
def sagittal():
    return inputs_of(zip_of(*slices(BODY, SAGITTAL)), **FEW).volumes[0]


FOLDERS = ("", "DICOM/", "Ä ö/", "a/b/c/", "PA1\\ST1\\", "../", "x" * 120 + "/", ".hidden/")
NAMES = ("IM", "", "1.2.3.dcm", "b.jpg", "Müller^Jörg ")


@properties(30)
@given(
    st.permutations(range(9)),
    st.lists(st.integers(0, 8), max_size=4),
    st.lists(st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES)), min_size=13, max_size=13),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
)
def test_order_names_folders_and_copies_of_files_change_no_bit(order, copies, names, method):
    contents = objects_as_files()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number, index in enumerate([*order, *copies]):
            folder, name = names[number]
            archive.writestr(f"{folder}{name}{number}", contents[index])

    rows = inputs_of(file.getvalue(), **FEW)

    np.testing.assert_array_equal(rows.volumes[0], reference())
    assert sum(each["number"] for each in rows.report["warnings"]) == len(copies)


@cache
def objects_as_files():
    return [file_bytes(each) for each in slices(BODY)]


def tilted(phantom, orientation, *, along, backwards):
    """Slices that a tilted gantry cut, and the upright ones of what they show, with air beside it.

    along: 0 where each slice begins a row further, 1 a column.
    """
    objects, seen = slices(phantom, orientation), slices(phantom, orientation)
    length = (objects[0].Rows, objects[0].Columns)[along] - len(objects) + 1
    assert length > 1
    for k, (cut, whole) in enumerate(zip(objects, seen, strict=True)):
        start = len(objects) - 1 - k if backwards else k
        part = [slice(None), slice(None)]
        part[along] = slice(start, start + length)
        plane = pixels(cut)
        air = np.full_like(plane, 24)  # -1000 HU
        air[tuple(part)] = plane[tuple(part)]
        direction = np.reshape(cut.ImageOrientationPatient, (2, 3))[1 - along]
        shift = np.array(direction, float) * float(cut.PixelSpacing[along]) * start
        cut.ImagePositionPatient = decimals(np.array(cut.ImagePositionPatient, float) + shift)
        cut.PixelData = plane[tuple(part)].astype("<u2").tobytes()
        cut.Rows, cut.Columns = plane[tuple(part)].shape
        whole.PixelData = air.astype("<u2").tobytes()
    return objects, seen


@properties(30)
@given(orientations, st.sampled_from([0, 1]), st.booleans())
def test_a_tilted_gantry_moves_nothing_in_the_world(orientation, along, backwards):
    axis = int(np.flatnonzero(np.cross(*orientation))[0])
    shape, spacing_mm = [12, 14, 13], [2.5, 1.75, 2.25]
    shape[axis], spacing_mm[axis] = 5, 4.0
    phantom = body(tuple(shape), tuple(spacing_mm))
    objects, seen = tilted(phantom, orientation, along=along, backwards=backwards)

    assert_in_place(nifti(zip_of(*objects)), phantom)
    np.testing.assert_allclose(
        inputs_of(zip_of(*objects), **FEW).volumes[0],
        inputs_of(zip_of(*seen), **FEW).volumes[0],
        rtol=0,
        atol=1e-6,
    )


# Regions of interest

BOX = np.array([[2, 3, 2], [7, 11, 6]])
"""First index of a box of voxels along x, y and z, and the one behind its last."""


def box_contours(orientation, degrees):
    """The outline of the box in each slice of an orientation, on the edges of its voxels."""
    axis = int(np.flatnonzero(np.cross(*orientation))[0])
    one, other = (each for each in range(3) if each != axis)
    low, high = BOX - 0.5
    for place in range(BOX[0, axis], BOX[1, axis]):
        corners = np.empty((4, 3))
        corners[:, axis] = place
        corners[:, one] = low[one], high[one], high[one], low[one]
        corners[:, other] = low[other], low[other], high[other], high[other]
        affine = lattice(BODY, degrees)
        yield contour([affine[:3, :3] @ each + affine[:3, 3] for each in corners])


def box_seg(image, orientation, turn):
    """The box as a SEG, whose frames lie in an orientation of their own."""
    inside = np.full(BODY.voxels.shape, -1024, np.int16)
    inside[tuple(map(slice, *BOX))] += 1
    frames = slices(Phantom(inside, BODY.spacing_mm, BODY.origin_mm), orientation)
    cosines = np.array(orientation, float) @ turn.T
    step = np.abs(np.cross(*orientation)) @ BODY.spacing_mm
    return seg(
        image,
        [(1, decimals(turn @ each.ImagePositionPatient), pixels(each)) for each in frames],
        spacing_mm=frames[0].PixelSpacing,
        orientation=decimals(cosines.ravel()),
        step_mm=float(step),
    )


def box_rows(orientation, degrees, other):
    image = Writing(orientation, degrees).objects(BODY)
    drawn = rtstruct(image, [("drawn", list(box_contours(orientation, degrees)))])
    rows = inputs_of(zip_of(*image, drawn, box_seg(image, other, turn_of(degrees))), **FEW)
    return dict(
        zip([label["roi"] for label in rows.labels], rows.volumes, strict=True)
    ), rows.labels


@cache
def axial_box():
    return box_rows(AXIAL, UPRIGHT, AXIAL)[0]["drawn"]


@properties(30)
@given(orientations, turns, orientations)
def test_a_box_is_the_same_region_in_every_orientation(orientation, degrees, other):
    seen, labels = box_rows(orientation, degrees, other)

    extent_mm = (BOX[1] - BOX[0]) * BODY.spacing_mm
    centre = lattice(BODY, degrees) @ [*(BOX.sum(axis=0) - 1) / 2, 1]
    assert [label["roi"] for label in labels] == ["", "drawn", "Lesion"]
    for label in labels[1:]:
        assert label["volume_ml"] == pytest.approx(extent_mm.prod() / 1000, abs=1e-5)
        np.testing.assert_allclose(label["region_centre_mm"], centre[:3], atol=1e-4)
        if degrees == UPRIGHT:
            np.testing.assert_allclose(label["bounding_box_mm"], extent_mm, atol=1e-5)
        np.testing.assert_allclose(seen[label["roi"]], axial_box(), rtol=0, atol=1e-5)


# How two series that differ in one thing relate


def moved(objects, change):
    for each in objects:
        change(each)
    return zip_of(*objects)


@properties(10)
@given(orientations, st.tuples(*[st.integers(-400, 400)] * 3))
def test_shifted_positions_shift_the_affine_alone(orientation, shift_mm):
    def shifted(each):
        each.ImagePositionPatient = decimals(np.add(each.ImagePositionPatient, shift_mm))

    first = nifti(zip_of(*slices(BODY, orientation)))
    second = nifti(moved(slices(BODY, orientation), shifted))

    np.testing.assert_array_equal(first.dataobj, second.dataobj)
    wanted = first.affine.copy()
    wanted[:3, 3] += np.multiply(shift_mm, (-1, -1, 1))
    np.testing.assert_allclose(second.affine, wanted, atol=1e-4)


@properties(10)
@given(orientations, st.floats(0.25, 8))
def test_scaled_lengths_scale_the_affine_alone(orientation, factor):
    def scaled(each):
        each.PixelSpacing = decimals(np.multiply(each.PixelSpacing, factor))
        each.ImagePositionPatient = decimals(np.multiply(each.ImagePositionPatient, factor))

    first = nifti(zip_of(*slices(BODY, orientation)))
    second = nifti(moved(slices(BODY, orientation), scaled))

    np.testing.assert_array_equal(first.dataobj, second.dataobj)
    np.testing.assert_allclose(
        second.affine, np.diag([factor, factor, factor, 1]) @ first.affine, rtol=1e-6, atol=1e-4
    )


@properties(10)
@given(orientations, st.integers(-3000, 3000))
def test_what_is_added_to_the_intercept_is_added_to_every_voxel(orientation, added):
    def brighter(each):
        each.RescaleIntercept += added

    first = nifti(zip_of(*slices(BODY, orientation)))
    second = nifti(moved(slices(BODY, orientation), brighter))

    np.testing.assert_array_equal(second.get_fdata(), first.get_fdata() + added)
    np.testing.assert_array_equal(second.affine, first.affine)


@properties(10)
@given(orientations, orientations)
def test_studies_in_one_zip_are_what_they_are_alone(first, second):
    one, other = slices(BODY, first), slices(body((9, 7, 8)), second)
    mixed = [each for pair in zip(one, other, strict=False) for each in pair]
    rest = one[len(mixed) // 2 :] + other[len(mixed) // 2 :]

    together = inputs_of(zip_of(*mixed, *rest), **FEW).volumes

    for found, objects in zip(together, (one, other), strict=True):
        np.testing.assert_array_equal(found, inputs_of(zip_of(*objects), **FEW).volumes[0])


def test_the_served_network_has_the_same_features_of_every_writing():
    import tensorflow as tf  # takes seconds, and this test alone needs it
    from test_shipped_model import EXTRACTOR

    network = tf.saved_model.load(EXTRACTOR).signatures["serving_default"]
    written = [
        Writing(),
        Writing(SAGITTAL, encoding="JPEG-LS", kind="i2", bits=12, scaled=True),
        Writing(CORONAL, (5, -8, 11), encoding="big endian", kind="i4", bits=32, framed=True),
    ]

    first, *others = (
        network(volumes=inputs_of(zip_of(*each.objects(BODY))).volumes[0][np.newaxis])
        for each in written
    )

    for each in others:
        difference = np.linalg.norm(each["features"] - first["features"])
        assert difference <= 1e-5 * np.linalg.norm(first["features"])
