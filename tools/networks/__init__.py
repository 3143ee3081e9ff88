"""Networks from model files: listed, cut at a layer, and saved as what is served.

`open_network` takes a Keras 3 file, a Keras 2 HDF5 file or a SavedModel. TensorFlow is imported
when a network is opened, and not before.
"""

from tools.networks.network import Layer, Network, NetworkError
from tools.networks.opening import open_network

__all__ = ["Layer", "Network", "NetworkError", "open_network"]
