"""Which form of an answer a client wants: RFC 9110 section 12.5.1, for the forms that there are."""

from collections.abc import Iterable

from gateway.problems import ProblemError
from gateway.results.export import MEDIA_TYPES


def wanted(accept: str | None, forms: Iterable[str] = MEDIA_TYPES) -> str:
    """Return the form that an Accept header asks for; the first of equal ones.

    forms: of MEDIA_TYPES, those that there are. Raises ProblemError `not_acceptable`.
    """
    offers = {form: MEDIA_TYPES[form] for form in forms}
    ranges = dict(map(_range, (accept or "*/*").split(",")))
    qualities = {form: _quality(offered, ranges) for form, offered in offers.items()}
    best = max(qualities, key=lambda form: qualities[form])
    if not qualities[best]:
        raise ProblemError(406, "not_acceptable", f"answers are {', '.join(offers.values())}")
    return best


def _range(text: str) -> tuple[str, float]:
    """Return a media range and its quality; one that cannot be read is not wanted."""
    media, *parameters = (word.strip().lower() for word in text.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media, float(value)
            except ValueError:
                return media, 0.0
    return media, 1.0


def _quality(offered: str, ranges: dict[str, float]) -> float:
    """Return the quality that the most specific range states."""
    group = offered.partition("/")[0] + "/*"
    return next((ranges[each] for each in (offered, group, "*/*") if each in ranges), 0.0)
