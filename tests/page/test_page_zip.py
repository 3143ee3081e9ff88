"""Zips that the browser writes are read by Python, and by the service."""

import io
import json
import zipfile

import numpy as np
import pytest

from imaging.archive import Limits, open_archive

TEXT = b"the same again, " * 5000
NOISE = np.random.default_rng(3).bytes(70_001)

PACKED = """
    const {{ ZipWriter }} = await import("/static/zip.js");
    const {{ studiesOf }} = await import("/static/dropped.js");
    const noise = Uint8Array.from({noise});
    const files = [
        new File(["the same again, ".repeat(5000)], "DOE^JOHN.dcm"),
        new File([], "empty"),
        new File([noise], "MÜLLER.dcm"),
    ];
    const zip = new ZipWriter({{ deflates: {deflates} }});
    const [study] = studiesOf(files.map((file) => ({{ top: 0, path: ["DOE", file.name], file }})));
    for (const file of study.files) await zip.add(file, () => {{}});
    const bytes = () => zip.finish();
"""


def packed(made_in_browser, *, deflates: bool) -> bytes:
    return made_in_browser(
        PACKED.format(noise=json.dumps(list(NOISE)), deflates=json.dumps(deflates))
    )


@pytest.mark.parametrize("deflates", [True, False])
def test_python_reads_the_zips_that_the_browser_writes(made_in_browser, deflates):
    content = packed(made_in_browser, deflates=deflates)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        read = [archive.read(name) for name in archive.namelist()]
    assert read == [TEXT, b"", NOISE]


@pytest.mark.parametrize("deflates", [True, False])
def test_the_service_reads_the_zips_that_the_browser_writes(made_in_browser, deflates):
    content = packed(made_in_browser, deflates=deflates)

    entries = open_archive(memoryview(content), Limits())

    assert [bytes(entry.read()) for entry in entries] == [TEXT, b"", NOISE]


def test_what_does_not_shrink_is_stored(made_in_browser):
    content = packed(made_in_browser, deflates=True)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        methods = [entry.compress_type for entry in archive.infolist()]
    assert methods == [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_STORED]


def test_entries_have_numbers_for_names(made_in_browser):
    content = packed(made_in_browser, deflates=False)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["000001", "000002", "000003"]
    assert b"DOE" not in content


@pytest.mark.long
def test_more_entries_than_16_bits_count_can_be_read(made_in_browser):
    content = made_in_browser("""
        const { ZipWriter } = await import("/static/zip.js");
        const zip = new ZipWriter({ deflates: false });
        const content = new Blob(["a"]);
        for (let n = 0; n < 65_537; n += 1) {
            zip.append({ method: 0, content, crc: 0xe8b7be43, bytes: 1 });
        }
        const bytes = () => zip.finish();
    """)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) == 65_537
        assert archive.read("065537") == b"a"


def test_entries_beyond_4_gib_can_be_read(made_in_browser, tmp_path):
    """All but the ends of the zip is a hole in a file: four gibibytes are not sent around."""
    ends = made_in_browser("""
        const { ZipWriter } = await import("/static/zip.js");
        const piece = new Blob([new Uint8Array(1 << 25)]);
        const content = new Blob(Array(129).fill(piece));
        const zip = new ZipWriter({ deflates: false });
        zip.append({ method: 0, content, crc: 0, bytes: content.size });
        await zip.add(new Blob(["behind"]), () => {});
        const whole = zip.finish();
        const bytes = () => new Blob([whole.slice(0, 100), whole.slice(56 + content.size)]);
    """)
    path = tmp_path / "large.zip"
    large = 129 << 25

    with path.open("wb") as file:
        file.write(ends[:100])
        file.seek(56 + large)  # local header 30, name 6, extra field 20
        file.write(ends[100:])

    with zipfile.ZipFile(path) as archive:
        first, second = archive.infolist()
        assert (first.file_size, first.compress_size) == (large, large)
        assert second.header_offset == 56 + large
        assert archive.read("000002") == b"behind"
