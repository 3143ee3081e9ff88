"""The parameters of a model's config.pbtxt that this backend reads."""

from collections.abc import Mapping
from dataclasses import dataclass

from tf_errors import SavedModelError

NVIDIA_NAMES: Mapping[str, str] = {
    "TF_SIGNATURE_DEF": "signature",
    "TF_GRAPH_TAG": "tags",
    "TF_NUM_INTRA_THREADS": "intra_op_threads",
    "TF_NUM_INTER_THREADS": "inter_op_threads",
}
"""What NVIDIA's backend called the same: one model repository serves both."""

UNSUPPORTED = ("TF_INIT_OPS_FILE",)
"""Of NVIDIA's, those without which the model would compute something else."""


@dataclass(frozen=True)
class Settings:
    """How to serve a SavedModel.

    tags: of the graph; () for the one for "serve", or the only one.
    rows_at_once: how many rows are computed together, which bounds the memory; 0 for all of them.
    intra_op_threads, inter_op_threads: 0 lets TensorFlow decide.
    trust: whether operations that read or write files, or run Python, are allowed.
    """

    signature: str = "serving_default"
    tags: tuple[str, ...] = ()
    rows_at_once: int = 0
    intra_op_threads: int = 0
    inter_op_threads: int = 0
    trust: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> "Settings":
        """Return the settings in a model configuration as Triton hands it over, in JSON."""
        return cls.from_parameters(_string_values(config.get("parameters")))

    @classmethod
    def from_parameters(cls, stated: Mapping[str, str]) -> "Settings":
        """Return the settings; names that are not this backend's are left to others."""
        for name in UNSUPPORTED:
            if name in stated:
                raise SavedModelError(f"the parameter {name} is not supported by this backend")
        values = _with_our_names(stated)
        tags = values.get("tags", "").split(",")
        return cls(
            signature=values.get("signature", cls.signature),
            tags=tuple(tag.strip() for tag in tags if tag.strip()),
            rows_at_once=_count(values, "rows_at_once"),
            intra_op_threads=_count(values, "intra_op_threads"),
            inter_op_threads=_count(values, "inter_op_threads"),
            trust=_flag(values, "trust"),
        )


def _string_values(parameters: object) -> dict[str, str]:
    if not isinstance(parameters, Mapping):
        return {}
    return {str(name): str(value["string_value"]) for name, value in parameters.items()}


def _with_our_names(stated: Mapping[str, str]) -> dict[str, str]:
    values = dict(stated)
    for theirs, ours in NVIDIA_NAMES.items():
        if theirs not in stated:
            continue
        if values.setdefault(ours, stated[theirs]) != stated[theirs]:
            raise SavedModelError(
                f"the parameters {ours} ({stated[ours]!r}) and {theirs} ({stated[theirs]!r}) mean "
                "the same and differ"
            )
    return values


def _count(values: Mapping[str, str], name: str) -> int:
    value = values.get(name, "0")
    if not (value.isascii() and value.isdigit()):
        raise SavedModelError(f"the parameter {name} is {value!r}: a number, 0 or more, is needed")
    return int(value)


def _flag(values: Mapping[str, str], name: str) -> bool:
    value = values.get(name, "false")
    if value not in ("true", "false"):
        raise SavedModelError(f'the parameter {name} is {value!r}: "true" or "false" is needed')
    return value == "true"
