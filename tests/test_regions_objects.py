"""RTSTRUCT and SEG objects for the tests of regions, written attribute by attribute."""

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from imaging.geometry import Grid

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
LABELMAP_SEG = "1.2.840.10008.5.1.4.1.1.66.7"


def grid_of(instances) -> Grid:
    """The grid of a plain stack of slices, by hand: nothing of the code that sorts slices."""
    row, column = np.reshape(instances[0].numbers("ImageOrientationPatient", 6), (2, 3))
    normal = np.cross(row, column)
    positions = [np.array(each.numbers("ImagePositionPatient", 3)) for each in instances]
    positions.sort(key=lambda position: position @ normal)
    rows_mm, columns_mm = instances[0].numbers("PixelSpacing", 2)
    affine = np.eye(4)
    affine[:3, 0] = row * columns_mm
    affine[:3, 1] = column * rows_mm
    affine[:3, 2] = (positions[-1] - positions[0]) / (len(positions) - 1)
    affine[:3, 3] = positions[0]
    shape = (instances[0].count("Columns"), instances[0].count("Rows"), len(positions))
    return Grid((), shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine, 0.0)


def item(**attributes) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def header(sop_class, modality) -> Dataset:
    dataset = item(
        SOPClassUID=sop_class,
        SOPInstanceUID=generate_uid(),
        StudyInstanceUID=generate_uid(),
        SeriesInstanceUID=generate_uid(),
        PatientID="PHANTOM",
        Modality=modality,
        SpecificCharacterSet="ISO_IR 192",
    )
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def square(first, last):
    """The corners of a rectangle from one point to another of the same z."""
    (x, y, z), (right, back, _) = first, last
    return [(x, y, z), (right, y, z), (right, back, z), (x, back, z)]


def contour(points, *, kind="CLOSED_PLANAR") -> Dataset:
    numbers = [f"{number:.10g}" for point in points for number in point]
    return item(ContourGeometricType=kind, NumberOfContourPoints=len(points), ContourData=numbers)


def rtstruct(image, regions, *, series_uids=None, frame_uid=None) -> Dataset:
    """An RTSTRUCT of regions (name, contours), drawn on an image unless other UIDs are given."""
    if series_uids is None:
        series_uids = [image[0].SeriesInstanceUID]
    if frame_uid is None:
        frame_uid = image[0].FrameOfReferenceUID
    dataset = header(RTSTRUCT, "RTSTRUCT")
    named = [item(SeriesInstanceUID=uid) for uid in series_uids]
    dataset.ReferencedFrameOfReferenceSequence = [
        item(
            FrameOfReferenceUID=frame_uid,
            RTReferencedStudySequence=[item(RTReferencedSeriesSequence=named)],
        )
    ]
    dataset.StructureSetROISequence = [
        item(ROINumber=number, ReferencedFrameOfReferenceUID=frame_uid, ROIName=name)
        for number, (name, _) in enumerate(regions, start=1)
    ]
    dataset.ROIContourSequence = [
        item(
            ReferencedROINumber=number,
            ContourSequence=[
                each if isinstance(each, Dataset) else contour(each) for each in contours
            ],
        )
        for number, (_, contours) in enumerate(regions, start=1)
    ]
    return dataset


def seg(
    image,
    frames,
    *,
    kind="BINARY",
    spacing_mm,
    orientation=(1, 0, 0, 0, 1, 0),
    labels=("Lesion",),
    step_mm=None,
    series_uids=None,
    frame_uid=None,
    **attributes,
) -> Dataset:
    """A SEG of frames (segment, position in mm LPS+, pixels [row, column]).

    spacing_mm: of rows and of columns, as PixelSpacing has it.
    """
    dataset = header(LABELMAP_SEG if kind == "LABELMAP" else SEG, "SEG")
    pixels = np.array([plane for _, _, plane in frames])
    dataset.FrameOfReferenceUID = image[0].FrameOfReferenceUID if frame_uid is None else frame_uid
    if series_uids is None:
        series_uids = [image[0].SeriesInstanceUID]
    dataset.ReferencedSeriesSequence = [item(SeriesInstanceUID=uid) for uid in series_uids]
    dataset.SegmentationType = kind
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelRepresentation = 0
    dataset.BitsAllocated = dataset.BitsStored = 1 if kind == "BINARY" else 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.SegmentSequence = [
        item(SegmentNumber=number, SegmentLabel=label)
        for number, label in enumerate(labels, start=1)
    ]
    measures = item(PixelSpacing=list(spacing_mm))
    if step_mm is not None:
        measures.SpacingBetweenSlices = step_mm
    dataset.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[measures],
            PlaneOrientationSequence=[item(ImageOrientationPatient=list(map(float, orientation)))],
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=list(map(float, position)))])
        for _, position, _ in frames
    ]
    if kind != "LABELMAP":
        own = dataset.PerFrameFunctionalGroupsSequence
        for group, (number, _, _) in zip(own, frames, strict=True):
            group.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=number)]
    dataset.add_new("PixelData", "OB", pixel_bytes(pixels, kind))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def pixel_bytes(pixels, kind) -> bytes:
    """Frames one behind the other, of even length; single bits from the lowest up (PS3.5 8.1.1)."""
    if kind == "BINARY":
        number = 0
        for place, bit in enumerate(pixels.ravel().tolist()):
            number |= int(bool(bit)) << place
        content = number.to_bytes(-(-pixels.size // 8), "little")
    else:
        content = pixels.astype(np.uint8).tobytes()
    return content + b"\0" * (len(content) % 2)


def test_bits_are_packed_as_the_standards_example_has_it():
    """PS3.5 8.1.1: the first pixel is the least significant bit of the first byte."""
    pixels = np.array([[[1, 0, 0, 0, 0, 0, 0, 0, 1, 1]]])

    assert pixel_bytes(pixels, "BINARY") == b"\x01\x03"
