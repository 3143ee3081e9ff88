"""Forms: one file, whatever its chunks; its name and headers nowhere; everything else refused."""

import pytest

from gateway.problems import ProblemError
from gateway.results.export import MEDIA_TYPES
from gateway.uploads.accept import wanted
from gateway.uploads.multipart import Form

TYPE = 'multipart/form-data; boundary="xYx"'
FILE = b'Content-Disposition: form-data; name="file"; filename="DOE JOHN.zip"\r\n'
FIELD = b'Content-Disposition: form-data; name="%s"\r\n'
CONTENT = b"PK\r\n--xY\r\n\r\n--xYxx-- \x00\xff\r\n"


def form_of(*parts, end=b"--xYx--\r\n"):
    """A form of parts, each its headers and its content, as RFC 7578 has it."""
    return b"".join(b"--xYx\r\n" + head + b"\r\n" + body + b"\r\n" for head, body in parts) + end


def read(body, step=10_000, content_type=TYPE):
    """The file and the fields of a form that comes in chunks."""
    file = bytearray()
    form = Form(content_type, file.extend)
    for start in range(0, len(body), step):
        form.write(body[start : start + step])
    form.close()
    return bytes(file), form.fields


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50, 10_000])
def test_the_file_is_the_same_in_chunks_of_any_size(step):
    body = form_of(
        (FIELD % b"roi", "Lésion".encode()), (FILE, CONTENT), (FIELD % b"lenient", b"true")
    )

    assert read(body, step) == (CONTENT, [("roi", "Lésion"), ("lenient", "true")])


def test_a_file_needs_no_name_and_may_have_a_type():
    head = FIELD % b"file" + b"Content-Type: application/zip\r\n"

    assert read(form_of((head, CONTENT))) == (CONTENT, [])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(form_of(), id="nothing"),
        pytest.param(form_of((FIELD % b"roi", b"x")), id="no file"),
        pytest.param(form_of((FILE, b"1"), (FILE, b"2")), id="two files"),
        pytest.param(form_of((FILE, b"1"), (FIELD % b"file", b"2")), id="two files, one unnamed"),
        pytest.param(form_of((FILE.replace(b'"file"', b'"zip"'), b"1")), id="another field"),
        pytest.param(form_of((b"", b"1")), id="no headers"),
        pytest.param(form_of((b"Content-Type: text/plain\r\n", b"1")), id="no name"),
        pytest.param(form_of((FIELD % b"", b"1")), id="empty name"),
        pytest.param(form_of((FIELD % (b"n" * 65), b"1")), id="long name"),
        pytest.param(form_of((FIELD % b"roi", b"x" * 8193), (FILE, b"1")), id="long field"),
        pytest.param(form_of((FIELD % b"roi", b"\xff"), (FILE, b"1")), id="not UTF-8"),
        pytest.param(form_of(*[(FIELD % b"a", b"1")] * 16, (FILE, b"1")), id="many parts"),
        pytest.param(form_of((FILE + b"X: " + b"x" * 5000 + b"\r\n", b"1")), id="long header"),
        pytest.param(form_of((FILE + b"X: y\r\n" * 9, b"1")), id="many headers"),
        pytest.param(
            form_of((FILE + b"Content-Transfer-Encoding: base64\r\n", b"UEs=")), id="base64"
        ),
        pytest.param(form_of((FILE, b"1"), end=b""), id="no end"),
        pytest.param(form_of((FILE, b"1"), end=b"--xYx"), id="half an end"),
        pytest.param(b"PK no form", id="no boundary"),
        pytest.param(b"", id="empty"),
    ],
)
def test_other_forms_are_refused(body):
    with pytest.raises(ProblemError) as refused:
        read(body)

    assert (refused.value.status, refused.value.code) == (400, "bad_form")


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", f"x; boundary={'b' * 300}"]
)
def test_a_boundary_is_needed(kind):
    with pytest.raises(ProblemError, match="^bad_form"):
        read(form_of((FILE, b"1")), content_type=kind)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("text/*", "csv"),
        ("application/*", "json"),
        ("application/zip", "zip"),
        (MEDIA_TYPES["xlsx"], "xlsx"),
        ("application/vnd.apache.parquet;q=0.9, text/csv;q=0.8", "parquet"),
        ("application/json;q=0.5, text/csv;q=0.8", "csv"),
        ("text/html, */*;q=0.1", "json"),
        ("application/json;q=0, */*", "csv"),
    ],
)
def test_the_form_of_the_answer_is_the_one_that_is_wanted_most(accept, kind):
    assert wanted(accept) == kind


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/csv;q=much", "x"])
def test_other_forms_of_an_answer_are_not_there(accept):
    with pytest.raises(ProblemError) as refused:
        wanted(accept)

    assert (refused.value.status, refused.value.code) == (406, "not_acceptable")
