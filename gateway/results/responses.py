"""Files as answers."""

from urllib.parse import quote

from starlette.responses import Response

from gateway.results.export import MEDIA_TYPES


def file_response(content: bytes, form: str, *, name: str = "") -> Response:
    """Return a file in a form of MEDIA_TYPES; name: under which it is to be kept, if any."""
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers if name else None)
