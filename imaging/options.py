"""What a request may ask for, beside the zip itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from imaging.errors import InputError
from imaging.recipe import SERIES_RULE

HEADER_PREFIX = "x-df-"
ALLOWABLE = frozenset({"demonstration", "not_magnitude", "subtraction_image", "untrained_modality"})
"""Refusals that `allow` lifts. `demonstration` concerns exports whose rows cannot carry codes."""

REGION_MODES = ("auto", "whole", "all")
EVERY_SERIES = "all"
PREVIEWS = ("true", "false", "stack")
EVERY_CRITERION, NO_CRITERION = "true", "none"
PT_UNITS = {"": "", "suv": "SUVbw", "suvbw": "SUVbw", "stored": "stored"}
KNOWN = frozenset(
    [
        "allow",
        "candidates",
        "compress",
        "lenient",
        "masks",
        "preview",
        "pt_unit",
        "regions",
        "roi",
        "series",
    ]
)


@dataclass(frozen=True)
class Options:
    """The options of one request.

    series: SeriesInstanceUIDs of the series that are wanted; none: as the model's rule chooses.
    every_series: whether all series are wanted.
    allow: what is refused unless it is asked for.
    regions: "whole" for whole volumes, "all" for all regions of interest, "auto" for both.
    roi: name of the regions that are wanted, or "" for all.
    lenient: whether series with more gaps than are filled otherwise are read.
    masks: whether regions of interest are given as NIfTI masks.
    pt_unit: "SUVbw", "stored" for the unit of the objects, or "" for what the model usually gives.
    preview: whether pictures of the network's input are made. stack: whether of all its planes.
    compress: whether NIfTI files are gzipped.
    candidates: criteria by which one series of several is chosen, where series are to be listed and
        not converted; None where they are not.
    """

    series: frozenset[str] = frozenset()
    every_series: bool = False
    allow: frozenset[str] = frozenset()
    regions: str = "auto"
    roi: str = ""
    lenient: bool = False
    masks: bool = False
    pt_unit: str = ""
    preview: bool = True
    stack: bool = False
    compress: bool = True
    candidates: tuple[str, ...] | None = None

    @property
    def whole_volumes(self) -> bool:
        """Whether rows of whole volumes are wanted."""
        return self.regions != "all" and not self.roi

    def wants_region(self, name: str) -> bool:
        """Say whether rows of regions of this name are wanted."""
        return self.regions != "whole" and self.roi in ("", name)

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> "Options":
        """Return the options of a request's parameters and forwarded `x-df-…` headers.

        Header names come in any case, their values percent-encoded (RFC 3986 section 2.1);
        parameters win over headers. An option that is not known is refused, not ignored: who sends
        one counts on it.
        """
        named = _named(parameters)
        series = _listed(named.get("series", ""))
        every_series = {each.lower() for each in series} == {EVERY_SERIES}
        preview = _one_of("preview", named.get("preview", "true"), PREVIEWS)
        options = cls(
            series=frozenset() if every_series else series,
            every_series=every_series,
            allow=_allowed(named.get("allow", "")),
            regions=_one_of("regions", named.get("regions", "auto"), REGION_MODES),
            roi=named.get("roi", ""),
            lenient=_switch("lenient", named.get("lenient", "false")),
            masks=_switch("masks", named.get("masks", "false")),
            pt_unit=PT_UNITS[_one_of("pt_unit", named.get("pt_unit", ""), tuple(PT_UNITS))],
            preview=preview != "false",
            stack=preview == "stack",
            compress=_switch("compress", named.get("compress", "true")),
            candidates=_criteria(named.get("candidates", "")),
        )
        if options.roi and options.regions == "whole":
            raise InputError(
                "bad_option", "the option roi takes regions, and regions=whole none: leave out one"
            )
        return options


def _named(parameters: Mapping[str, object]) -> dict[str, str]:
    """Return the values by option; refuse options that are not known."""
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
    if unknown := named.keys() - KNOWN:
        known = ", ".join(sorted(KNOWN))
        raise InputError("bad_option", f"{len(unknown)} options are not known; {known} are")
    return named


def _listed(text: str) -> frozenset[str]:
    return frozenset(item.strip() for item in text.split(",") if item.strip())


def _one_of(name: str, text: str, choices: tuple[str, ...]) -> str:
    value = text.strip().lower()
    if value not in choices:
        known = " or ".join(filter(None, choices))
        raise InputError("bad_option", f"the option {name} takes {known}")
    return value


def _switch(name: str, value: str) -> bool:
    return _one_of(name, value, ("true", "false")) == "true"


def _criteria(text: str) -> tuple[str, ...] | None:
    words = tuple(word.strip() for word in text.lower().split(",") if word.strip())
    if not words:
        return None
    if words == (EVERY_CRITERION,):
        return SERIES_RULE
    if words == (NO_CRITERION,):
        return ()
    if not set(words) <= set(SERIES_RULE):
        known = f"true, none, or of {', '.join(SERIES_RULE)}"
        raise InputError("bad_option", f"the option candidates takes {known}")
    return words


def _allowed(text: str) -> frozenset[str]:
    allowed = _listed(text.lower())
    if not allowed <= ALLOWABLE:
        raise InputError("bad_option", f"the option allow takes {', '.join(sorted(ALLOWABLE))}")
    return allowed
