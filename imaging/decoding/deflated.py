"""A deflated object's data set as an entry of its own, inflated as far as it is read.

pydicom would inflate such an object whole, whatever it unpacks to.
"""

from dataclasses import dataclass, field

from imaging.archive import Entry, EntryReader, Limits
from imaging.errors import InputError

WHOLE_BYTES = 512 << 20
"""The most that one object may unpack to: a thousand slices of 512 × 512."""


@dataclass(frozen=True)
class DeflatedEntry(Entry):
    """What follows the file meta information of a deflated object (PS3.5 A.5).

    outer, deflated_at: the object itself, and where in it the deflated part begins.
    size_bytes: not what it unpacks to, which nothing declares, but the most that is accepted.
    crc: of the object as it is in the zip.
    """

    outer: Entry = field(kw_only=True)
    deflated_at: int = field(kw_only=True)

    @classmethod
    def within(cls, outer: Entry, deflated_at: int, limits: Limits) -> "DeflatedEntry":
        """Return the data set of a deflated object; nothing is inflated yet."""
        most = min(WHOLE_BYTES, limits.inflated_bytes)
        return cls(
            outer.number,
            start=0,
            packed=memoryview(b""),
            deflated=True,
            size_bytes=most,
            crc=outer.crc,
            outer=outer,
            deflated_at=deflated_at,
        )

    def open(self, limit_bytes: int) -> EntryReader:
        """Return a file over the data set, which ends after `limit_bytes`."""
        source = self.outer.open(self.outer.size_bytes)
        source.seek(self.deflated_at)
        return self._reader(source.read(), min(limit_bytes, self.size_bytes))

    def read(self) -> memoryview:
        """Return the whole data set; refuse one that is cut short or unpacks to too much."""
        file = self._reader(self.outer.read()[self.deflated_at :], self.size_bytes)
        data = file.read()
        if file.is_complete:
            return memoryview(data)
        if len(data) < self.size_bytes:
            raise InputError("bad_pixels", f"entry {self.number} is deflated and cut short")
        raise InputError(
            "too_large",
            f"entry {self.number} is a deflated object that unpacks to more than "
            f"{self.size_bytes} bytes",
        )

    def _reader(self, packed: bytes | memoryview, limit_bytes: int) -> "_DeflatedReader":
        inner = Entry(self.number, 0, memoryview(packed), True, limit_bytes, 0)
        return _DeflatedReader(inner, limit_bytes)


class _DeflatedReader(EntryReader):
    def _inflate_more(self, wanted_bytes: int) -> bool:
        try:
            return super()._inflate_more(wanted_bytes)
        except InputError as error:  # the zip is whole: it is the object that is damaged
            raise InputError(
                "bad_pixels", f"entry {self._entry.number} is no whole deflated object"
            ) from error

    @property
    def is_complete(self) -> bool:
        """Say whether the end of the deflated data was reached."""
        return bool(self._inflater.eof)
