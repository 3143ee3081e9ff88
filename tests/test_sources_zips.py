"""A zip that a server broke off is noticed wherever it was broken off."""

import io
import zipfile

import pytest
from sources_world import a_region

from gateway.sources import zips
from gateway.sources.wado import ZipInFlight
from gateway.sources.zips import is_whole

pytestmark = pytest.mark.anyio


async def whole(content):
    with a_region() as region:
        if content:
            region.write(content)
        return await is_whole(region)


def stored(count=3, *, comment=b"", zip64=False):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            with archive.open(f"DICOM/0/{number}", "w", force_zip64=zip64) as entry:
                entry.write(bytes(100))
        archive.comment = comment
    return file.getvalue()


COMMENT = b"made by a PACS"


def in_flight(count=3):
    """A zip as it is written without looking back: sizes come behind the entries."""
    content = bytearray()
    with ZipInFlight(content.extend) as archive:
        for _ in range(count):
            archive.begin()
            archive.data(bytes(100), 0, 100)
            archive.end()
    return bytes(content)


WHOLE = {
    "of one entry": stored(1),
    "of three": stored(),
    "with a comment": stored(comment=COMMENT),
    "with sizes of 64 bits": stored(zip64=True),
    "written in flight": in_flight(),
}


@pytest.fixture(scope="module")
def of_zip64():
    """More entries than the end of a zip has room to count: APPNOTE.TXT 4.3.14."""
    content = stored(65_536)
    assert b"PK\x06\x06" in content[-200:]
    return content


@pytest.mark.parametrize("what", WHOLE)
async def test_a_whole_zip_is_whole(what):
    assert await whole(WHOLE[what])


@pytest.mark.parametrize("what", WHOLE)
async def test_a_zip_without_its_last_bytes_is_not(what):
    content = WHOLE[what]
    for left in range(len(content.removesuffix(COMMENT))):
        assert not await whole(content[:left]), left


async def test_zip64_is_whole_with_all_of_its_end(of_zip64):
    assert await whole(of_zip64)
    for missing in (1, 21, 22, 23, 42, 43, 98, 99, 1000, 1 << 20):
        assert not await whole(of_zip64[:-missing]), missing


async def test_what_is_no_zip_is_not_whole():
    for content in (b"", b"<html>", bytes(100_000), b"PK\x05\x06" + bytes(18)):
        assert not await whole(content)


async def test_only_the_end_of_a_zip_is_read(monkeypatch):
    monkeypatch.setattr(zips, "REACH_BYTES", 1000)
    content = stored(5)  # its list is 5 × 55 bytes
    with a_region() as region:
        region.write(content)
        read = []
        monkeypatch.setattr(region, "read", lambda start, count: read.append((start, count)) or b"")
        await is_whole(region)

    assert read == [(len(content) - 1000 if len(content) > 1000 else 0, min(len(content), 1000))]


async def test_a_list_that_is_too_long_to_look_at_is_left_to_the_engine(monkeypatch):
    monkeypatch.setattr(zips, "REACH_BYTES", 200)

    assert await whole(stored(50))
