"""The 3D ResNet-152 in plain TensorFlow: bottleneck blocks whose 3x3x3 convolution has the stride.

He et al., "Deep residual learning for image recognition", 2016, with the stride where torchvision
has it; inflated to three dimensions as by Carreira and Zisserman, "Quo vadis, action recognition?",
2017. Axes inside are [rows, z, x, y, channels]: slices take the place of a film's frames.

The largest arrays, those before the second stage, are never there as a whole: they are made in
slabs along z, one after the other, and what the next one needs of a slab is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import tensorflow as tf

from tools import winograd
from tools.astra.architecture import Architecture

SLAB = 4
"""Planes behind the first pooling that are computed together: 29 MB before it."""

JOINED = 2
"""Slabs that blocks are given together: 26 MB where channels are most. With fewer planes, a larger
share is computed twice, and the graph has more nodes, which take memory, too."""


class Layer(NamedTuple):
    """A convolution and what its normalisation makes of it: scale and shift of each channel.

    kernel: [z, x, y, in, out], of the type that it is kept in. scale, shift: float32 [out].
    """

    kernel: tf.Tensor
    scale: tf.Tensor
    shift: tf.Tensor

    def scaled(self, after: tf.Tensor) -> tf.Tensor:
        """Return the kernel as float32 with the scale in it, made once `after` is there.

        Without waiting those of all layers are made at first, and kept.
        """
        with tf.control_dependencies([after]):
            return tf.cast(tf.identity(self.kernel), tf.float32) * self.scale


Layers = Mapping[str, Layer]
Slabs = Iterator[tf.Tensor]
"""Parts of one array, in order along z."""


def features(volumes: tf.Tensor, layers: Layers, architecture: Architecture) -> tf.Tensor:
    """Return the means over space of what the last block puts out, float32 [rows, features].

    volumes: float32 [rows, x, y, z, 1], 0 to 1.
    """
    blocks = list(architecture.strides())
    large = architecture.blocks[0] + 1  # the first stage, and the block that halves what it gives
    finished: list[tf.Tensor] = []
    slabs = _stem(tf.transpose(volumes[..., 0], (0, 3, 1, 2)), layers["conv1"], finished)
    slabs = _joined(slabs)
    for name, stride in blocks[:large]:
        slabs = _block(slabs, layers, name, stride=stride)
    for slab in slabs:
        finished.append(slab)  # one by one: _stem looks at the last
    whole = tf.concat(finished, 1)
    for name, stride in blocks[large:]:
        (whole,) = _block(iter([whole]), layers, name, stride=stride)
    return tf.reduce_mean(whole, (1, 2, 3))


def _stem(volumes: tf.Tensor, layer: Layer, finished: Sequence[tf.Tensor]) -> Slabs:
    """Yield convolution 3x7x7 with stride 1, 2, 2, ReLU and pooling 3 with stride 2.

    layer: the kernel [1, 4, 4, 12, out] that stem_kernel returns.
    finished: what has become of the slabs before; a slab that did not wait for it would be in
        memory with all others.
    """
    _, z, x, y = volumes.shape
    cells = _cells(tf.pad(volumes, ((0, 0), (1, 1), (3, 3), (3, 3))))
    pooled = (z + 1) // 2
    before: list[tf.Tensor] = []
    for start in range(0, pooled, SLAB):
        first, end = max(2 * start - 1, 0), min(2 * (start + SLAB), z)
        with tf.control_dependencies([*before, *finished[-1:]]):
            channels = tf.concat([cells[:, first + k : end + k] for k in range(3)], -1)
        odd_end = z % 2 if start + SLAB >= pooled else 0
        borders = [(int(start == 0), odd_end), (1, x // 2 % 2), (1, y // 2 % 2)]
        # What ReLU gives is 0 at least, so that 0 beside it changes no maximum.
        bordered = tf.pad(tf.nn.relu(_convolved(channels, layer)), ((0, 0), *borders, (0, 0)))
        before = [tf.nn.max_pool3d(bordered, 3, 2, "VALID")]
        yield from before


def _joined(slabs: Slabs) -> Slabs:
    while some := list(islice(slabs, JOINED)):
        yield tf.concat(some, 1)


def _cells(planes: tf.Tensor) -> tf.Tensor:
    """Return each 2x2 pixels of planes [rows, z, x, y] as four channels: [rows, z, x/2, y/2, 4]."""
    _, z, x, y = planes.shape
    cells = tf.reshape(planes, (-1, z, x // 2, 2, y // 2, 2))
    return tf.reshape(tf.transpose(cells, (0, 1, 2, 4, 3, 5)), (-1, z, x // 2, y // 2, 4))


def stem_kernel(kernel: tf.Tensor) -> tf.Tensor:
    """Return a kernel [3, 7, 7, in, out] as one over cells, for stride 1: [1, 4, 4, 12, out].

    All its channels see the same volume, so that their sum does the same. A cell of 2x2 pixels
    becomes four channels, and its neighbours in z eight more: with one, processors would idle.
    """
    out = kernel.shape[-1]
    even = tf.pad(tf.reduce_sum(kernel, 3), ((0, 0), (0, 1), (0, 1), (0, 0)))
    cells = tf.reshape(even, (3, 4, 2, 4, 2, out))
    return tf.reshape(tf.transpose(cells, (1, 3, 0, 2, 4, 5)), (1, 4, 4, 12, out))


def _block(slabs: Slabs, layers: Layers, name: str, *, stride: int) -> Slabs:
    """Yield what a bottleneck block makes of its input, in slabs as soon as it can.

    Its 3x3x3 convolution wants the next slab's first plane: what has to wait for that is kept.
    """
    first, second, third = (layers[f"{name}.conv{number}"] for number in (1, 2, 3))
    shortcut = layers.get(f"{name}.downsample.0")
    convolved = _by_winograd if stride == 1 else _in_steps
    kept: list[tf.Tensor] = []
    narrow: list[tf.Tensor] = []
    for slab, is_last in _with_end(slabs):
        thin = tf.nn.relu(_convolved(slab, first))
        thin = tf.concat([*narrow, thin], 1) if narrow else _padded(thin, (1, 0))
        planes = sum(each.shape[1] for each in (*kept, slab))
        count = _planes_ready(planes, stride, is_last=is_last)
        used = stride * count
        if is_last:
            thin = _padded(thin, (0, 1))
        if count:
            # Not of all that is there: a second array of that size would be kept until the end.
            start = planes - slab.shape[1]
            some = tf.concat([*kept, slab[:, : used - start]], 1)
            kept, slab = [], slab[:, used - start :]
            if shortcut is not None:
                some = _convolved(some[:, ::stride, ::stride, ::stride], shortcut)
            new = tf.nn.relu(convolved(thin[:, : used - stride + 3], second))
            yield tf.nn.relu(_convolved(new, third) + some)
        kept, narrow = [*kept, slab], [thin[:, used:]]


def _planes_ready(planes: int, stride: int, *, is_last: bool) -> int:
    """Return how many planes of a block's output can be made of so many of its input.

    Before the end, one of the input waits for its neighbour, and whole tiles of planes are made.
    """
    if is_last:
        return -(-planes // stride)
    if stride > 1:
        return planes // stride
    return (planes - 1) // winograd.TILE * winograd.TILE


def _with_end(slabs: Slabs) -> Iterator[tuple[tf.Tensor, bool]]:
    """Yield each slab, and whether it is the last one."""
    slab = next(slabs)
    for following in slabs:
        yield slab, False
        slab = following
    yield slab, True


def _padded(values: tf.Tensor, planes: tuple[int, int], border: int = 0) -> tf.Tensor:
    """Return values with planes of zeros before and behind, and a border of zeros around each."""
    return tf.pad(values, ((0, 0), planes, (border, border), (border, border), (0, 0)))


def _convolved(values: tf.Tensor, layer: Layer) -> tf.Tensor:
    convolved = tf.nn.conv3d(values, layer.scaled(after=values), [1] * 5, "VALID")
    return tf.nn.bias_add(convolved, layer.shift)


def _in_steps(values: tf.Tensor, layer: Layer) -> tf.Tensor:
    """Return a convolution 3x3x3 with stride 2, of values that have their border along z."""
    bordered = _padded(values, (0, 0), border=1)
    convolved = tf.nn.conv3d(bordered, layer.scaled(after=values), (1, 2, 2, 2, 1), "VALID")
    return tf.nn.bias_add(convolved, layer.shift)


def _by_winograd(values: tf.Tensor, layer: Layer) -> tf.Tensor:
    """Return a convolution 3x3x3 with stride 1, of values that have their border along z."""
    planes = values.shape[1] - winograd.KERNEL + 1
    missing = -planes % winograd.TILE
    whole_tiles = _padded(values, (0, missing))
    kernels = winograd.kernels(layer.scaled(after=values))
    products = [
        tf.nn.conv3d(plane, kernel[None], [1] * 5, "SAME")
        for plane, kernel in zip(winograd.transformed(whole_tiles), kernels, strict=True)
    ]
    tiles = tf.stack(winograd.planes(products), 2)
    convolved = tf.reshape(tiles, (-1, planes + missing, *tiles.shape[3:]))[:, :planes]
    return tf.nn.bias_add(convolved, layer.shift)
