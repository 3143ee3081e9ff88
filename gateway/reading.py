"""Settings by their names, out of an environment."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from tools.engine.stated import StatedError, stated

T = TypeVar("T")


class SettingsError(ValueError):
    """A setting is missing or cannot be; the message names it, and never its value."""


class Reader:
    """Reads settings by name; what is not stated has a default, or is missing."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str | None = None) -> str:
        stated = self._environment.get(name, "").strip()
        if stated or default is not None:
            return stated or str(default)
        raise SettingsError(f"{name} is not set")

    def secret(self, name: str, default: str | None = None) -> str:
        """Return a text that may be in a file, too, which NAME_FILE names."""
        try:
            found = stated(self._environment, name)
        except StatedError as error:
            raise SettingsError(str(error)) from None
        if found or default is not None:
            return found or str(default)
        raise SettingsError(f"{name} is not set")

    def words(self, name: str, default: str) -> tuple[str, ...]:
        return _words(self.text(name, default))

    def secrets(self, name: str) -> tuple[str, ...]:
        """Return the words of a secret; none if nothing is stated."""
        return _words(self.secret(name, ""))

    def one_of(self, name: str, known: tuple[str, ...], *, default: str | None = None) -> str:
        stated = self.text(name, default)
        if stated not in known:
            raise SettingsError(f"{name} is neither {' nor '.join(known)}")
        return stated

    def number(self, name: str, default: int) -> int:
        return self._parsed(name, default, int)

    def seconds(self, name: str, default: float) -> float:
        return self._parsed(name, default, float)

    def _parsed(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        stated = self.text(name, "")
        try:
            value = parse(stated) if stated else default
        except ValueError as error:
            raise SettingsError(f"{name} is not a number") from error
        if not value > 0:  # type: ignore[operator]
            raise SettingsError(f"{name} is not above 0")
        return value


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())
