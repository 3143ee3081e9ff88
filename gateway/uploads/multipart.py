"""A form with one file: its bytes go on as they come, its name and its headers nowhere.

`multipart/form-data`, RFC 7578. Nothing is collected but short text fields.
"""

from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from gateway.problems import ProblemError
from gateway.uploads.options import LONGEST_VALUE

MEDIA_TYPE = "multipart/form-data"
FILE_FIELD = "file"

MOST_PARTS = 16
MOST_HEADERS = 8
LONGEST_HEADER_BYTES = 4096
LONGEST_NAME_BYTES = 64


class Form:
    """Takes the body of a form in chunks; raises ProblemError `bad_form`.

    fields: text fields that came, in order, for the time after `close`.
    """

    def __init__(self, content_type: str, write_file: Callable[[memoryview], None]) -> None:
        self.fields: list[tuple[str, str]] = []
        self._write_file = write_file
        self._parts = 0
        self._has_file = False
        self._is_complete = False
        self._header_name, self._header_value, self._text = b"", b"", b""
        self._field: str | None = None
        self._is_file = False
        self._parser = _parser(content_type, self)

    def write(self, chunk: bytes) -> None:
        """Take a chunk of the body."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            # Without its text, which quotes the body.
            raise bad_form("the form cannot be read") from None

    def close(self) -> None:
        """Check, after the last chunk, that it was all there."""
        if not self._is_complete:
            raise bad_form("the form ends before its last boundary")
        if not self._has_file:
            raise bad_form(f"the form has no part named {FILE_FIELD}")

    def begin_part(self) -> None:
        """Begin with the headers of a part."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise bad_form(f"the form has more than {MOST_PARTS} parts")
        self._header_name, self._header_value, self._text = b"", b"", b""
        self._field, self._is_file = None, False

    def add_to_header_name(self, data: bytes, start: int, end: int) -> None:
        """Take a part of a header's name."""
        self._header_name += data[start:end]

    def add_to_header_value(self, data: bytes, start: int, end: int) -> None:
        """Take a part of a header's value."""
        self._header_value += data[start:end]

    def end_header(self) -> None:
        """Keep of a header what is needed of it: the name of the field, no file's."""
        if self._header_name.lower() == b"content-disposition":
            _, stated = parse_options_header(self._header_value)
            self._field = _name(stated.get(b"name"))
            self._is_file = b"filename" in stated or self._field == FILE_FIELD
        elif self._header_name.lower() == b"content-transfer-encoding":
            raise bad_form("a part has a Content-Transfer-Encoding: send its bytes as they are")
        self._header_name, self._header_value = b"", b""

    def end_headers(self) -> None:
        """Check that the part is one that a form may have here."""
        if self._field is None:
            raise bad_form("a part has no name")
        if self._is_file:
            if self._has_file or self._field != FILE_FIELD:
                raise bad_form(f"the form has other files than one, named {FILE_FIELD}")
            self._has_file = True

    def add_data(self, data: bytes, start: int, end: int) -> None:
        """Take a part of a part."""
        if self._is_file:
            self._write_file(memoryview(data)[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > LONGEST_VALUE:
            raise bad_form(f"a text field has more than {LONGEST_VALUE} bytes")

    def end_part(self) -> None:
        """Keep a text field."""
        if not self._is_file:
            try:
                self.fields.append((str(self._field), self._text.decode()))
            except UnicodeDecodeError:
                raise bad_form("a text field is not UTF-8") from None

    def end(self) -> None:
        """Note that the last boundary has come."""
        self._is_complete = True


def bad_form(sentence: str) -> ProblemError:
    """Return the refusal of a form."""
    return ProblemError(400, "bad_form", sentence)


def _parser(content_type: str, form: Form) -> MultipartParser:
    _, stated = parse_options_header(content_type)
    boundary = stated.get(b"boundary", b"")
    if not boundary:
        raise bad_form("the Content-Type states no boundary")
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": form.begin_part,
                "on_header_field": form.add_to_header_name,
                "on_header_value": form.add_to_header_value,
                "on_header_end": form.end_header,
                "on_headers_finished": form.end_headers,
                "on_part_data": form.add_data,
                "on_part_end": form.end_part,
                "on_end": form.end,
            },
            max_header_count=MOST_HEADERS,
            max_header_size=LONGEST_HEADER_BYTES,
        )
    except FormParserError:
        raise bad_form("the boundary is too long") from None


def _name(stated: bytes | None) -> str | None:
    if not stated or len(stated) > LONGEST_NAME_BYTES or not stated.isascii():
        return None
    return stated.decode()
