"""Options of a request for features: stated in the query or in a form, and checked before work."""

from collections.abc import Iterable

from gateway.problems import ProblemError
from imaging.errors import InputError
from imaging.options import KNOWN, Options

LONGEST_VALUE = 8192
"""Characters: `series` may list a hundred UIDs."""


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
        if len(value) > LONGEST_VALUE:
            sentence = f"the option {name} is longer than {LONGEST_VALUE} characters"
            raise ProblemError(400, "bad_option", sentence)
        options[name] = value
    try:
        Options.from_parameters(options)
    except InputError as error:
        raise ProblemError(422, error.code, str(error).removeprefix(f"{error.code}: ")) from None
    return options
