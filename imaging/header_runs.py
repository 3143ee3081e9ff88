"""Runs of elements that objects of a study have in common: compared whole, not walked one by one.

The slices of a series state patient, equipment and protocol alike, byte for byte, and differ in a
dozen of some hundred elements. To walk over one takes Python a microsecond; a run takes as much,
however many elements it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from imaging.elements import PIXELS, CutError, Elements, Value, element_at, value_of

HEAD_BYTES = 8
"""Tag, representation and length of most elements: what a run is looked up by."""

LEARNT_FROM = 8
"""Objects that are unlike those before, in a study. Where each is, looking for runs costs more."""

MOST_WALKED = 32


class Walked(NamedTuple):
    """One element: its bytes, and its value if it is wanted."""

    data: bytes
    tag: BaseTag | None
    value: Value | None


@dataclass
class Run:
    """Whole elements, one after another, and the wanted ones of them."""

    data: bytes
    wanted: Elements


class Runs:
    """The runs of one study, in one of the two encodings of elements; learnt while it is read.

    wanted: tags by what `as_stored` makes of them.
    """

    def __init__(self, wanted: Mapping[int, BaseTag], *, is_implicit: bool) -> None:
        self._wanted, self._is_implicit = wanted, is_implicit
        self._by_head: dict[bytes, Run] = {}
        self._unlike: list[Walked] = []
        self._to_learn = LEARNT_FROM

    def elements(self, data: bytes, at: int) -> tuple[Elements, int]:
        """Return the wanted elements of a data set, as pydicom has them, and where its pixels are.

        Without pixels that is where the bytes end. Those of a run are placed where the first object
        had them. Raises CutError or UnusualError where the header cannot be followed to its end.
        """
        elements: Elements = {}
        walked: list[Walked] = []
        while at < len(data):
            run = self._by_head.get(data[at : at + HEAD_BYTES])
            if run and data.startswith(run.data, at):
                elements.update(run.wanted)
                at += len(run.data)
                continue
            tag, vr, start, length, end = element_at(data, at, is_implicit=self._is_implicit)
            if tag in PIXELS:
                break
            found = self._wanted.get(tag)
            value = None
            if found is not None:
                place = (vr, start, length, end)
                value = value_of(data, place, elements, tag=found, is_implicit=self._is_implicit)
                elements[found] = value
            walked.append(Walked(data[at:end], found, value))
            at = end
        if at > len(data):
            raise CutError
        if len(walked) > MOST_WALKED and self._to_learn:
            self._learn(walked)
        return elements, at

    def _learn(self, walked: list[Walked]) -> None:
        """Take what two objects have in common for what others will have."""
        self._to_learn -= 1
        before = {each.data for each in self._unlike}
        self._unlike = walked
        for is_common, run in groupby(
            walked, lambda each: each.data in before and not _is_sequence(each)
        ):
            if is_common:
                self._keep([*run])

    def _keep(self, run: Sequence[Walked]) -> None:
        data = b"".join(each.data for each in run)
        wanted = {each.tag: each.value for each in run if each.tag and each.value}
        self._by_head[data[:HEAD_BYTES]] = Run(data, wanted)


def _is_sequence(walked: Walked) -> bool:
    """Say whether a value is more than bytes: its items know whose they are."""
    return walked.value is not None and not isinstance(walked.value, RawDataElement)
