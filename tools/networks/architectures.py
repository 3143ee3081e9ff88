"""Architectures that a file of weights alone may belong to."""

from collections.abc import Callable, Mapping

import keras

from tools import ct3dcnn


def _ct3dcnn() -> keras.Model:
    return ct3dcnn.build(ct3dcnn.SEED)


ARCHITECTURES: Mapping[str, Callable[[], keras.Model]] = {"ct3dcnn": _ct3dcnn}
"""By name: how to make the network that the weights are put into."""
