"""Options of a request for features: stated in the query or in a form, and checked before work."""

import re
from collections.abc import Iterable

from gateway.problems import ProblemError
from imaging.errors import InputError
from imaging.options import KNOWN, Options

LONGEST_VALUE = 8192
"""Characters: `series` may list a hundred UIDs."""

VALUE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*")
"""Triton ends a parameter at a NUL: the rest of it would be ignored."""


def is_value(text: str) -> bool:
    """Say whether a text can be the value of an option: short, and without control characters."""
    return len(text) <= LONGEST_VALUE and VALUE.fullmatch(text) is not None


def options_of(stated: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return options by name; raises ProblemError for what no model would take.

    The text of a value is in no message: a region's name may be anything.
    """
    options: dict[str, str] = {}
    for name, value in stated:
        if name not in KNOWN:
            known = ", ".join(sorted(KNOWN))
            raise ProblemError(400, "unknown_option", f"an option is not known; {known} are")
        if name in options:
            raise ProblemError(400, "bad_option", f"the option {name} is stated twice")
        if not is_value(value):
            sentence = f"the option {name} is no text of up to {LONGEST_VALUE} characters"
            raise ProblemError(400, "bad_option", sentence)
        options[name] = value
    try:
        Options.from_parameters(options)
    except InputError as error:
        raise ProblemError(422, error.code, str(error).removeprefix(f"{error.code}: ")) from None
    return options
