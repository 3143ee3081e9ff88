"""What a Triton serves: the public models, and what its configuration tells of them.

A Triton lists its models, and tells of their configuration, to those who have its key: programs of
the same machine and account, and those that it was stated to (GATEWAY_TRITON_KEY). At any other the
models are those of the setting GATEWAY_MODELS, as far as it has them, and what they were trained on
is not known.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tools.engine.command import KEY_HEADER

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)

QUESTION_SECONDS = 5.0


@dataclass(frozen=True)
class Model:
    """A public model; None is what its Triton does not tell.

    features: how many a row has; None for a model without. prefix: of their names.
    weights: "trained", "demonstration" or "untrained". trained_modalities: as DICOM names them.
    parameters: all that its config.pbtxt states of it; empty if that is not told.
    """

    name: str
    features: int | None = None
    prefix: str | None = None
    weights: str | None = None
    trained_modalities: tuple[str, ...] | None = None
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)

    @property
    def has_features(self) -> bool:
        """Whether its answers have features."""
        return self.features is not None

    def as_json(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        return {name: value for name, value in vars(self).items() if name != "parameters"}


def is_public(name: str) -> bool:
    """Say whether a name is one of a public model: parts of models have `__` in theirs."""
    return NAME.fullmatch(name) is not None and "__" not in name


async def models_of(
    http: httpx.AsyncClient, key: str | None, names: Iterable[str]
) -> dict[str, Model]:
    """Return the public models that a Triton has, by name.

    key: of its restricted APIs, None if it is not known. names: those that are looked for then.
    Raises httpx.HTTPError if it does not answer, or not as a Triton does.
    """
    named = names if key is None else await _loaded(http, key)
    found = [await _model(http, name, key) for name in sorted(set(named)) if is_public(name)]
    return {model.name: model for model in found if model}


async def _loaded(http: httpx.AsyncClient, key: str) -> list[str]:
    index = await http.post(
        "/v2/repository/index",
        json={"ready": True},
        headers={KEY_HEADER: key},
        timeout=QUESTION_SECONDS,
    )
    return [model["name"] for model in index.raise_for_status().json()]


async def _model(http: httpx.AsyncClient, name: str, key: str | None) -> Model | None:
    """Return what is told of a model, None if the Triton does not have it."""
    metadata = await http.get(f"/v2/models/{name}", timeout=QUESTION_SECONDS)
    if metadata.status_code != httpx.codes.OK:
        return None
    outputs = {output["name"]: output["shape"] for output in metadata.json()["outputs"]}
    if "FEATURES" not in outputs:
        return Model(name)
    stated = await _stated(http, name, key) if key else {}
    modalities = stated.get("trained_modalities")
    return Model(
        name,
        features=outputs["FEATURES"][-1],
        prefix=stated.get("feature_prefix"),
        weights=stated.get("weights"),
        trained_modalities=None if modalities is None else tuple(modalities.split(",")),
        parameters=stated,
    )


async def _stated(http: httpx.AsyncClient, name: str, key: str) -> Mapping[str, str]:
    """Return the parameters of a model's first step, which is where a model states what it is."""
    ensemble = await _config(http, name, key)
    steps = ensemble.get("ensemble_scheduling", {}).get("step", [])
    first = await _config(http, steps[0]["model_name"], key) if steps else {}
    return {name: value["string_value"] for name, value in first.get("parameters", {}).items()}


async def _config(http: httpx.AsyncClient, name: str, key: str) -> Any:
    answer = await http.get(
        f"/v2/models/{name}/config", headers={KEY_HEADER: key}, timeout=QUESTION_SECONDS
    )
    return answer.raise_for_status().json()
