"""All planes of the network's input as one picture, and the regions where the network saw them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from test_preprocess import asked
from test_region_rows import TUMOUR, box, study_with

AMBER = [255, 176, 0]

WHOLE_BODY = box("body", (-0.5, -0.5), (59.5, 63.5), range(30))


def picture_of(text):
    return Image.open(io.BytesIO(base64.b64decode(text)))


def volumes_of(text, layout):
    """The sheets of a picture, taken apart as docs/contract.md says: uint8 [row, column, plane]."""
    sheets = np.array(picture_of(text))
    columns, rows, planes = layout["shape"]
    across = layout["across"]
    down = -(-planes // across)
    assert sheets.shape[1] == across * columns
    found = []
    for top in range(0, len(sheets), down * rows):
        cells = [
            sheets[top + line * rows :, at * columns :][:rows, :columns]
            for line, at in (divmod(plane, across) for plane in range(planes))
        ]
        found.append(np.stack(cells, axis=2))
    return found


def drawn(shape, rows, columns, planes):
    """A box from the first to the last row, column and plane, both counted."""
    found = np.zeros(shape, bool)
    found[tuple(slice(first, last + 1) for first, last in (rows, columns, planes))] = True
    return found


def test_the_line_runs_beside_the_samples_that_lie_in_the_region():
    """A cube of 128 mm around the middle of 20 × 18 × 16 mm, in samples of 1, 1 and 2 mm.

    In it are samples 54 to 73 from right to left, 55 to 72 from front to back, 28 to 35 from feet
    to head: rows 56 to 71 of the upright planes, whose samples are shown twice.
    """
    rows = asked(study_with(TUMOUR), regions="all")

    picture = picture_of(rows.previews[0])
    assert picture.mode == "P"
    lines = (np.array(picture.convert("RGB")) == AMBER).all(axis=2)
    expected = np.zeros((128, 384), bool)
    for panel, (first, last), (left, right) in (
        (0, (55, 72), (54, 73)),
        (128, (56, 71), (54, 73)),
        (256, (56, 71), (55, 72)),
    ):
        across = slice(panel + left, panel + right + 1)
        expected[[first - 1, last + 1], across] = True
        expected[first : last + 1, [panel + left - 1, panel + right + 1]] = True
    np.testing.assert_array_equal(lines, expected)


def test_beside_the_line_the_picture_is_as_grey_as_without_one():
    rows = asked(study_with(TUMOUR))

    grey = np.array(picture_of(rows.previews[1]).convert("RGB")).astype(int)
    axial, _, _ = np.hsplit(grey, 3)
    seen = np.rint(rows.volumes[1][:, :, 32, 0] * 255)
    line = (axial == AMBER).all(axis=2)
    assert np.abs(axial - seen[..., np.newaxis])[~line].max() <= 1


def test_the_picture_of_a_whole_volume_has_no_line_and_no_colour():
    with_region, without = asked(study_with(TUMOUR)), asked(study_with(TUMOUR), regions="whole")

    assert picture_of(with_region.previews[0]).mode == "L"
    assert with_region.previews[0] == without.previews[0]


def test_a_stack_holds_every_plane_as_the_network_sees_it():
    """The model's axes run to the back, to the left and to the head: rows, columns and planes."""
    rows = asked(study_with(TUMOUR), preview="stack")

    for volume, label, preview in zip(rows.volumes, rows.labels, rows.previews, strict=True):
        grey, _ = volumes_of(preview, label["picture"])
        np.testing.assert_array_equal(grey, np.rint(volume[..., 0] * 255))
        back_mm, left_mm, head_mm = label["network_voxel_mm"]
        assert label["picture"]["voxel_mm"] == [left_mm, back_mm, head_mm]


def test_a_stack_is_upright_whatever_the_model_wants_its_axes_to_be():
    usual = asked(study_with(TUMOUR), preview="stack", of_model={"shape": "60,64,40"})
    other = asked(
        study_with(TUMOUR),
        preview="stack",
        of_model={"shape": "64,60,40", "orientation": "RAS", "quarter_turns": "0"},
    )

    assert usual.previews == other.previews
    assert usual.labels[0]["picture"] == other.labels[0]["picture"]
    assert usual.labels[0]["picture"] == {
        "shape": [64, 60, 40],
        "voxel_mm": pytest.approx([2 * 59 / 63, 1.5 * 63 / 59, 4 * 29 / 39], abs=1e-6),
        "across": 7,
        "regions": ["GTV ä"],
    }


def test_a_stack_of_a_region_has_a_bit_where_its_samples_are():
    rows = asked(study_with(TUMOUR, WHOLE_BODY), preview="stack", roi="GTV ä")

    (label,) = rows.labels
    assert label["picture"]["regions"] == ["GTV ä"]
    _, bits = volumes_of(rows.previews[0], label["picture"])
    np.testing.assert_array_equal(bits, drawn((128, 128, 64), (55, 72), (54, 73), (28, 35)))


@pytest.mark.parametrize("regions", ["auto", "whole"])
def test_a_stack_of_a_whole_volume_has_all_regions_each_with_a_bit(regions):
    """Sample n lies at voxel n (N - 1) / (count - 1), and the faces of voxels are half way.

    Columns 20 to 29 of 60 are the region's, rows 24 to 35 of 64, slices 10 to 13 of 30.
    """
    rows = asked(study_with(WHOLE_BODY, TUMOUR), preview="stack", regions=regions)

    layout = rows.labels[0]["picture"]
    assert layout["regions"] == ["body", "GTV ä"]
    _, bits = volumes_of(rows.previews[0], layout)
    assert (bits & 1).all()
    np.testing.assert_array_equal(bits & 2 > 0, drawn((128, 128, 64), (48, 71), (42, 63), (21, 29)))
    assert len(rows.labels) == (1 if regions == "whole" else 3)


def test_cells_that_are_averaged_lie_in_a_region_by_their_middles():
    """60 columns in 20 cells: the middle of cell n is column 3 n + 1, and 20 to 29 are drawn."""
    rows = asked(
        study_with(TUMOUR),
        preview="stack",
        regions="whole",
        of_model={"shape": "64,20,30", "antialias": "area"},
    )

    _, bits = volumes_of(rows.previews[0], rows.labels[0]["picture"])
    np.testing.assert_array_equal(bits, drawn((64, 20, 30), (24, 35), (7, 9), (10, 13)))


def test_the_ninth_region_begins_a_second_sheet():
    boxes = [box(f"R{n}", (n + 9.5, 9.5), (n + 10.5, 10.5), range(10, 14)) for n in range(9)]
    rows = asked(study_with(*boxes), preview="stack", regions="whole")

    grey, eight, ninth = volumes_of(rows.previews[0], rows.labels[0]["picture"])
    assert grey.shape == eight.shape == ninth.shape
    assert set(np.unique(eight)) == {0, *(1 << n for n in range(8))}
    assert set(np.unique(ninth)) == {0, 1}
