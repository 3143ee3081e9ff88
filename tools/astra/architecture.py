"""What 3D residual networks of this kind are made of: names, shapes and strides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

EXPANSION = 4
"""Of a block's channels by its last convolution."""

COPIES = 3
"""Channels of the first convolution, once those of colours: each is given the same volume."""


class Convolution(NamedTuple):
    """A convolution in a checkpoint: its name, that of its normalisation, and its kernel's shape.

    shape: [out, in, z, x, y], as PyTorch has it.
    """

    name: str
    normalisation: str
    shape: tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Architecture:
    """What differs between networks of this kind.

    shape: x, y, z of a volume; x and y even.
    blocks: in each stage; the first block of all stages but the first halves all lengths.
    width: channels behind the first convolution; each stage doubles those inside its blocks.
    """

    shape: tuple[int, int, int]
    blocks: tuple[int, ...]
    width: int

    @property
    def features(self) -> int:
        """How many features come out."""
        return self.width * EXPANSION << len(self.blocks) - 1

    def strides(self) -> Iterator[tuple[str, int]]:
        """Yield each block's name and stride."""
        for stage, count in enumerate(self.blocks, start=1):
            for number in range(count):
                yield f"layer{stage}.{number}", 2 if stage > 1 and number == 0 else 1

    def convolutions(self) -> Iterator[Convolution]:
        """Yield all convolutions, in the order in which they are computed."""
        yield Convolution("conv1", "bn1", (self.width, COPIES, 3, 7, 7))
        channels = self.width
        for stage, count in enumerate(self.blocks, start=1):
            narrow = self.width << stage - 1
            wide = narrow * EXPANSION
            for number in range(count):
                block = f"layer{stage}.{number}"
                shapes = ((narrow, channels, 1), (narrow, narrow, 3), (wide, narrow, 1))
                for place, (out, into, edge) in enumerate(shapes, start=1):
                    shape = (out, into, edge, edge, edge)
                    yield Convolution(f"{block}.conv{place}", f"{block}.bn{place}", shape)
                if number == 0:
                    shape = (wide, channels, 1, 1, 1)
                    yield Convolution(f"{block}.downsample.0", f"{block}.downsample.1", shape)
                channels = wide


RESNET_152 = Architecture((224, 224, 160), (3, 8, 36, 3), 64)
