"""What the environment states, by value or by file: secrets of containers are files."""

from collections.abc import Mapping
from pathlib import Path

SUFFIX = "_FILE"


class StatedError(ValueError):
    """A setting cannot be read; the message names it, and never its value."""


def stated(environment: Mapping[str, str], name: str) -> str:
    """Return a setting, or what is in the file that NAME_FILE names; "" where there is neither.

    A file whose content is empty states nothing. Raises StatedError if the file cannot be read, or
    if both are there, since one of them is then not what somebody believes.
    """
    value, file = (environment.get(each, "").strip() for each in (name, f"{name}{SUFFIX}"))
    if not file:
        return value
    try:
        content = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise StatedError(f"{name}{SUFFIX} names a file that cannot be read") from None
    if content and value:
        raise StatedError(f"{name} and {name}{SUFFIX}: state one")
    return content or value
