"""What a job was asked for, as it is sealed: title, album, options, and series chosen later."""

from collections.abc import Mapping
from typing import Any

Request = Mapping[str, Any]


def options_of(request: Request, position: int) -> dict[str, str]:
    """Return the options of one study: the job's, and the series that was chosen for it."""
    series = series_of(request).get(str(position))
    return {**request["options"], **({"series": series} if series else {})}


def series_of(request: Request) -> dict[str, str]:
    """Return the series that were chosen for studies, by position; none in jobs of before."""
    return dict(request.get("series", {}))


def with_series(request: Request, chosen: Mapping[int, str]) -> dict[str, Any]:
    """Return the request with series chosen for some studies."""
    stated = {str(position): series for position, series in chosen.items()}
    return {**request, "series": series_of(request) | stated}
