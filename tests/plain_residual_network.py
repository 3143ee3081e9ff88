"""The network written out plainly in NumPy: the judge of the graph that is served.

Each layer is what the papers and PyTorch's documentation say of it, in float64 and in PyTorch's
order of axes; the normalisation is a step of its own, and the volume has its three equal channels.
"""

import numpy as np


def convolved(values, kernel, *, stride, border):
    """Conv3d: values [in, z, x, y], kernel [out, in, z, x, y]."""
    values = np.pad(values, [(0, 0), *((each, each) for each in border)])
    lengths = [
        (n - k) // step + 1
        for n, k, step in zip(values.shape[1:], kernel.shape[2:], stride, strict=True)
    ]
    total = np.zeros((len(kernel), *lengths))
    for offset in np.ndindex(*kernel.shape[2:]):
        part = values[
            (slice(None), *(
                slice(at, at + step * (n - 1) + 1, step)
                for at, step, n in zip(offset, stride, lengths, strict=True)
            ))
        ]  # fmt: skip
        total += np.einsum("oi,izxy->ozxy", kernel[(slice(None), slice(None), *offset)], part)
    return total


def normalised(values, tensors, name):
    gamma, beta, mean, variance = (
        tensors[f"{name}.{which}"].astype(float)[:, None, None, None]
        for which in ("weight", "bias", "running_mean", "running_var")
    )
    return (values - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def layer(values, tensors, name, normalisation, *, stride=(1, 1, 1), border=(0, 0, 0)):
    kernel = tensors[f"{name}.weight"].astype(float)
    return normalised(
        convolved(values, kernel, stride=stride, border=border), tensors, normalisation
    )


def pooled(values):
    """MaxPool3d 3 with stride 2 and padding 1."""
    values = np.pad(values, [(0, 0), (1, 1), (1, 1), (1, 1)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(values, (3, 3, 3), (1, 2, 3))
    return windows[:, ::2, ::2, ::2].max((4, 5, 6))


def block(values, tensors, name, stride):
    stride = (stride,) * 3
    new = np.maximum(layer(values, tensors, f"{name}.conv1", f"{name}.bn1"), 0)
    new = layer(new, tensors, f"{name}.conv2", f"{name}.bn2", stride=stride, border=(1, 1, 1))
    new = layer(np.maximum(new, 0), tensors, f"{name}.conv3", f"{name}.bn3")
    if f"{name}.downsample.0.weight" in tensors:
        values = layer(
            values, tensors, f"{name}.downsample.0", f"{name}.downsample.1", stride=stride
        )
    return np.maximum(new + values, 0)


def features(volume, tensors, blocks):
    """The features of one volume [x, y, z]."""
    values = np.stack([volume.astype(float).transpose(2, 0, 1)] * 3)
    values = layer(values, tensors, "conv1", "bn1", stride=(1, 2, 2), border=(1, 3, 3))
    values = pooled(np.maximum(values, 0))
    for stage, count in enumerate(blocks, start=1):
        for number in range(count):
            stride = 2 if stage > 1 and number == 0 else 1
            values = block(values, tensors, f"layer{stage}.{number}", stride)
    return values.mean((1, 2, 3))
