"""From a trained network, and what is said of it, to what becomes a version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from typing import Any

from tools.models.configs import TEMPLATE, parameters_of, shipped
from tools.models.names import ModelsError, Version
from tools.models.pair import DIGEST, Candidate
from tools.networks import Network

OF_THE_TEMPLATE_ALONE = ("trained_voxel_mm", "least_coverage_mm", DIGEST)
"""What says something of the data that the project's own network is for."""


@dataclass(frozen=True)
class Statements:
    """What is said of a network.

    parameters: of the preprocessing, where it differs from that of the project's own model.
    modalities: that it was trained on.
    card: what is kept with it, for people.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    modalities: tuple[str, ...] = ("CT",)
    card: Mapping[str, Any] = field(default_factory=dict)


def candidate_of(
    network: Network, layer: str, *, version: Version, stated: Statements
) -> Candidate:
    """Return a network, cut behind a layer, as what becomes a version."""
    parameters = parameters_for(network.input_shape, version, stated)
    return Candidate(
        version=version,
        shape=network.input_shape,
        save=lambda folder: network.save(layer, folder),
        features=lambda volumes: network.features(layer, volumes),
        parameters=parameters,
        card={
            **stated.card,
            "format": network.format,
            "source_sha256": network.source_sha256,
            "layer": layer,
            "modalities": [*stated.modalities],
            "published": datetime.now(UTC).date().isoformat(),
            "software": f"triton-deep-features {installed_version('triton-deep-features')}",
        },
    )


def parameters_for(shape: tuple[int, ...], version: Version, stated: Statements) -> dict[str, str]:
    """Return the parameters of a preprocessing: those of the project's own model, and what differs.

    shape: of the network's input, without rows, its channel last.
    """
    usual = parameters_of(shipped(TEMPLATE.preprocess).parent)
    for name in OF_THE_TEMPLATE_ALONE:
        usual.pop(name, None)
    usual["shape"] = ",".join(map(str, shape[:3]))
    parameters = {
        **usual,
        "trained_modalities": ",".join(stated.modalities),
        "feature_prefix": f"{version.name}{version.number}",
        "weights": "trained",
        **stated.parameters,
    }
    if parameters["shape"] != usual["shape"]:
        raise ModelsError(
            f"the network takes volumes of {usual['shape']}, and the parameters say "
            f"{parameters['shape']}"
        )
    return parameters
