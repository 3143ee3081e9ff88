"""From a checkpoint to an extractor that Triton can serve."""

from pathlib import Path

from tools.astra.architecture import RESNET_152
from tools.astra.checkpoint import read_checkpoint
from tools.astra.weights import layer_weights


def save_astra(checkpoint: Path, directory: Path) -> None:
    """Write the SavedModel of a checkpoint: volumes [rows, 224, 224, 160, 1] to 2048 features.

    checkpoint: Astra's, upstream's, or any with one network of this kind in it. Raises
    CheckpointError if it has none, or cannot be read.
    """
    from tools.astra.saved_network import save_network  # TensorFlow takes seconds to import

    save_network(layer_weights(read_checkpoint(checkpoint), RESNET_152), RESNET_152, directory)
