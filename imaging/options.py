"""What a request may ask for, beside the zip itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from imaging.errors import InputError

HEADER_PREFIX = "x-df-"
ALLOWABLE = frozenset({"untrained_modality"})
REGION_MODES = ("auto", "whole")


@dataclass(frozen=True)
class Options:
    """The options of one request.

    series: SeriesInstanceUID of the one series that is wanted, or "" for all.
    allow: what is refused unless it is asked for.
    preview: whether pictures of the network's input are made.
    """

    series: str = ""
    allow: frozenset[str] = frozenset()
    preview: bool = True

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> "Options":
        """Return the options of a request's parameters and forwarded `x-df-…` headers.

        Header names come in any case, their values percent-encoded (RFC 3986 section 2.1);
        parameters win over headers. An option that is not known is refused, not ignored: who sends
        one counts on it.
        """
        named = {
            name.lower().removeprefix(HEADER_PREFIX): unquote(str(value))
            for name, value in parameters.items()
            if name.lower().startswith(HEADER_PREFIX)
        }
        named |= {
            name: str(value)
            for name, value in parameters.items()
            if not name.lower().startswith(HEADER_PREFIX)
        }
        unknown = named.keys() - {"series", "allow", "preview", "regions"}
        if unknown:
            raise InputError(
                "bad_option", f"{len(unknown)} options are not known; {_KNOWN_SENTENCE}"
            )
        _one_of("regions", named.get("regions", "auto"), REGION_MODES)
        preview = _one_of("preview", named.get("preview", "true").lower(), ("true", "false"))
        return cls(
            series=named.get("series", ""),
            allow=_allowed(named.get("allow", "")),
            preview=preview == "true",
        )


_KNOWN_SENTENCE = "allow, preview, regions and series are"


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise InputError("bad_option", f"the option {name} takes {' or '.join(choices)}")
    return value


def _allowed(text: str) -> frozenset[str]:
    allowed = frozenset(item.strip() for item in text.split(",") if item.strip())
    if not allowed <= ALLOWABLE:
        raise InputError("bad_option", f"the option allow takes {', '.join(sorted(ALLOWABLE))}")
    return allowed
