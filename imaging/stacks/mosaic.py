"""Siemens mosaics: the slices of one volume, tiled in one picture of a classic MR object.

What the tiles are is in private attributes; ImagePositionPatient is that of a single slice as large
as the whole picture, with the same centre.
"""

import math
import struct
from functools import partial

import numpy as np
import pydicom
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.headers import PYDICOM_FAILURES
from imaging.instances import Instance
from imaging.stacks.pixels import FrameCache, Pixels
from imaging.stacks.slices import Slice, part_of

COUNT_TAG = 0x0019100A
"""NumberOfImagesInMosaic, of "SIEMENS MR HEADER"."""

CSA_TAG = 0x00291010
"""CSA Image Header Info, of "SIEMENS CSA HEADER"."""

CSA_ELEMENT = struct.Struct("<64si4s3i")
CSA_VALUE = struct.Struct("<4i")
NORMAL_TOLERANCE = 1e-2
"""Of a cosine: both directions are written with few digits."""

MOST_CSA_ELEMENTS = 1000
"""Headers have about a hundred; what says more is no such header."""


def is_mosaic(instance: Instance) -> bool:
    """Say whether the object is a picture of tiles."""
    return "MOSAIC" in instance.texts("ImageType")


def tiles_of(instance: Instance, cache: FrameCache) -> tuple[Slice, ...]:
    """Return the tiles of one mosaic in the order in which they are numbered."""
    csa = _csa(instance)
    count = _tile_count(instance, csa)
    across = math.ceil(math.sqrt(count))
    rows, columns = instance.count("Rows"), instance.count("Columns")
    if rows % across or columns % across:
        raise _broken(instance, f"{columns} × {rows} pixels cannot be {across} × {across} tiles")
    size = (rows // across, columns // across)
    picture = part_of(instance, {}, partial(cache.frame, instance, 0))
    first_mm, step_mm = _placing(picture, csa, size=size)
    return tuple(
        part_of(
            instance,
            {
                "Rows": size[0],
                "Columns": size[1],
                "ImagePositionPatient": (first_mm + k * step_mm).tolist(),
                "tile": k,
            },
            partial(_tile, picture, at=divmod(k, across), size=size),
        )
        for k in range(count)
    )


def _tile(picture: Slice, *, at: tuple[int, int], size: tuple[int, int]) -> Pixels:
    (row, column), (rows, columns) = at, size
    tile: Pixels = picture.pixels()[
        row * rows : (row + 1) * rows, column * columns : (column + 1) * columns
    ]
    return tile


def _placing(
    picture: Slice, csa: dict[str, list[str]], *, size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the first pixel of the first tile lies, and the step to the next tile."""
    plane = picture.plane
    row_cosine, column_cosine = np.reshape(plane.orientation, (2, 3))
    row_mm, column_mm = plane.spacing_mm
    beyond_rows, beyond_columns = (np.array(plane.size) - size) / 2
    first_mm = np.array(plane.position_mm)
    first_mm += row_cosine * column_mm * beyond_columns + column_cosine * row_mm * beyond_rows
    normal = np.cross(row_cosine, column_cosine)
    # The tiles may be numbered against the normal of the picture: only the CSA header tells.
    direction = float(_csa_numbers(picture, csa, "SliceNormalVector", 3) @ normal)
    if abs(abs(direction) - 1) > NORMAL_TOLERANCE:
        raise _broken(picture, "SliceNormalVector is not perpendicular to it, of length 1")
    spacing_mm = picture.number("SpacingBetweenSlices")
    if spacing_mm <= 0:
        raise _broken(picture, "SpacingBetweenSlices is not above 0")
    return first_mm, normal * math.copysign(spacing_mm, direction)


def _tile_count(instance: Instance, csa: dict[str, list[str]]) -> int:
    try:
        count = int(instance.header[COUNT_TAG].value)
    except PYDICOM_FAILURES:
        count = int(_csa_numbers(instance, csa, "NumberOfImagesInMosaic", 1)[0])
    if not 1 <= count <= instance.count("Rows"):
        raise _broken(instance, f"{count} tiles are not possible")
    return count


def _csa_numbers(
    instance: Instance, csa: dict[str, list[str]], name: str, count: int
) -> NDArray[np.float64]:
    try:
        values = np.array([float(text) for text in csa.get(name, [])])
    except ValueError as error:
        raise _broken(instance, f"{name} is no number") from error
    if len(values) != count or not np.all(np.isfinite(values)):
        raise InputError(
            "missing_attribute",
            f"entry {instance.entry.number} is a Siemens mosaic without {name} in its CSA header "
            "(0029,1010)",
        )
    return values


def _csa(instance: Instance) -> dict[str, list[str]]:
    """Return the texts of the CSA header by name; none if there is no such header.

    It is read here and not with the other attributes: all Siemens objects have it, of 10 kB each.
    """
    try:
        header = pydicom.dcmread(
            instance.entry.open(instance.pixels_at),
            stop_before_pixels=True,
            specific_tags=[CSA_TAG],
            force=True,
        )
        return _csa_texts(bytes(header[CSA_TAG].value))
    except PYDICOM_FAILURES as error:
        if isinstance(error, InputError):
            raise
        return {}


def _csa_texts(content: bytes) -> dict[str, list[str]]:
    """Return the values of a CSA header, version 1 or 2 ("SV10"), as nibabel.nicom documents it."""
    at = 8 if content[:4] == b"SV10" else 0
    (elements,) = struct.unpack_from("<I", content, at)
    at += 8
    found: dict[str, list[str]] = {}
    for _ in range(min(elements, MOST_CSA_ELEMENTS)):
        name, multiplicity, _, _, items, _ = CSA_ELEMENT.unpack_from(content, at)
        at += CSA_ELEMENT.size
        texts = []
        for _ in range(min(items, MOST_CSA_ELEMENTS)):
            length = max(CSA_VALUE.unpack_from(content, at)[1], 0)
            at += CSA_VALUE.size
            texts.append(_text(content[at : at + length]))
            at += (length + 3) // 4 * 4  # values are padded to whole words
        found[_text(name)] = texts[: max(multiplicity, 1)]
    return found


def _text(padded: bytes) -> str:
    return padded.partition(b"\0")[0].decode("latin-1").strip()


def _broken(instance: Instance, why: str) -> InputError:
    return InputError(
        "bad_attribute", f"entry {instance.entry.number} is a Siemens mosaic that fails: {why}"
    )
