"""A zip is read under limits, and what cannot be read is refused by name."""

import io
import struct
import zipfile

import pytest
from phantoms import zip_of

from imaging.archive import Limits, open_archive
from imaging.errors import InputError


def opened(content: bytes, **limits):
    return open_archive(memoryview(content), Limits(**limits))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_entry_reads_back_as_it_was(method):
    content = bytes(range(256)) * 1000

    (entry,) = opened(zip_of(content, method=method))

    assert entry.read() == content


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_entry_reads_in_pieces_forwards_and_backwards(method):
    content = bytes(range(256)) * 1000
    (entry,) = opened(zip_of(content, method=method))

    with entry.open(len(content)) as file:
        file.seek(200_000)
        later = file.read(300)
        file.seek(-10, io.SEEK_END)
        end = file.read()
        file.seek(5)
        earlier = file.read(7)

    assert (later, end, earlier) == (content[200_000:200_300], content[-10:], content[5:12])


def test_no_more_is_inflated_than_is_read():
    (entry,) = opened(zip_of(b"\0" * 50_000_000))

    with entry.open(entry.size_bytes) as file:
        file.read(132)
        assert len(file._inflated) < 100_000


def test_entries_are_numbered_as_in_the_zips_list_with_folders():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.mkdir("folder")
        archive.writestr("folder/a", b"a")

    assert [entry.number for entry in opened(file.getvalue())] == [2]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "not_a_zip", id="nothing"),
        pytest.param(b"hello", "not_a_zip", id="text"),
        pytest.param(b"\x1f\x8b" + b"0" * 100, "not_a_zip", id="gzip"),
        pytest.param(zip_of(), "zip_empty", id="an empty zip"),
        pytest.param(zip_of(b"a" * 1000)[:-30], "zip_truncated", id="no list of entries"),
        pytest.param(b"PK\x05\x06" + b"\xff" * 18, "zip_corrupt", id="a broken list"),
    ],
)
def test_what_is_no_whole_zip_is_refused_by_name(content, code):
    with pytest.raises(InputError, match=f"^{code}: "):
        opened(content)


def test_a_zip_of_folders_alone_is_empty():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.mkdir("folder")

    with pytest.raises(InputError, match="^zip_empty: "):
        opened(file.getvalue())


def test_a_file_named_like_a_folder_is_a_file():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("folder/", b"a")

    assert [entry.read() for entry in opened(file.getvalue())] == [b"a"]


def test_an_encrypted_entry_is_refused_by_its_number():
    content = bytearray(zip_of(b"first", b"second"))
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1  # the general purpose flag, bit 0: APPNOTE.TXT 4.4.4

    with pytest.raises(InputError, match="^zip_unsupported: entry 2 is encrypted"):
        opened(bytes(content))


def test_an_unusual_compression_is_refused():
    with pytest.raises(InputError, match="^zip_unsupported: entry 1 .* method 12"):
        opened(zip_of(b"abc" * 100, method=zipfile.ZIP_BZIP2))


def test_a_flipped_bit_is_noticed():
    content = bytearray(zip_of(b"a" * 1000, method=zipfile.ZIP_STORED))
    content[500] ^= 1
    (entry,) = opened(bytes(content))

    with pytest.raises(InputError, match="^zip_corrupt: entry 1 "):
        entry.read()


def test_more_bytes_than_declared_are_never_inflated():
    content = bytearray(zip_of(b"\0" * 10_000_000))
    at = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, at + 24, 1000)  # uncompressed size: APPNOTE.TXT 4.3.12
    (entry,) = opened(bytes(content))

    with pytest.raises(InputError, match="^zip_corrupt: entry 1 "):
        entry.read()


def test_overlapping_entries_are_refused():
    content = bytearray(zip_of(b"a" * 1000, b"b" * 1000, method=zipfile.ZIP_STORED))
    at = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, at + 42, 0)  # the second entry starts where the first does

    with pytest.raises(InputError, match="^zip_unsafe: entries 1 and 2 share bytes"):
        opened(bytes(content))


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"zip_bytes": 100}, "too_large"),
        ({"inflated_bytes": 1500}, "too_large"),
        ({"entries": 1}, "too_many_entries"),
    ],
)
def test_each_limit_is_held(limits, code):
    with pytest.raises(InputError, match=f"^{code}: "):
        opened(zip_of(b"a" * 1000, b"b" * 1000), **limits)


def test_a_huge_list_of_entries_is_not_read():
    many = zip_of(*[b""] * 5000)

    with pytest.raises(InputError, match="^too_many_entries: "):
        opened(many, entries=10)


def test_names_of_entries_are_in_no_message():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("hush^patient.dcm", b"x" * 100)

    with pytest.raises(InputError) as caught:
        opened(file.getvalue())

    assert "hush" not in str(caught.value)
