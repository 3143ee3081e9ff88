"""The stored pixels of objects that hold several slices, decoded once for all of them."""

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imaging.instances import Instance
from imaging.volume import stored_frames

KEPT_BYTES = 1 << 28
"""Of decoded objects at a time: a stack reads its slices in order, object after object."""

Pixels = NDArray[np.generic]


@dataclass
class FrameCache:
    """Decoded objects of one series; the oldest is given up for a new one."""

    _kept: dict[int, Pixels] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def frames(self, instance: Instance) -> Pixels:
        """Return all frames of an object, indexed [frame, row, column]."""
        number = instance.entry.number
        with self._turn:
            if number not in self._kept:
                frames = stored_frames(instance)
                while self._kept and self._bytes() + frames.nbytes > KEPT_BYTES:
                    del self._kept[next(iter(self._kept))]
                self._kept[number] = frames
            return self._kept[number]

    def frame(self, instance: Instance, index: int) -> Pixels:
        """Return one frame of an object, indexed [row, column]."""
        plane: Pixels = self.frames(instance)[index]
        return plane

    def _bytes(self) -> int:
        return sum(frames.nbytes for frames in self._kept.values())
