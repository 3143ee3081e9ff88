"""The parameters of a model's config.pbtxt that this backend reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tf_cores import usable_cores
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

ENGINES = ("tensorflow", "openvino", "auto")
"""What computes; "auto" is OpenVINO where it gives the same and is faster, else TensorFlow."""


@dataclass(frozen=True)
class Settings:
    """How to serve a SavedModel.

    tags: of the graph; () for the one for "serve", or the only one.
    rows_at_once: how many rows are computed together, which bounds the memory; 0 for all of them.
    rows_at_once_gpu: the same where a GPU computes; 0 for as many as elsewhere.
    intra_op_threads: 0 for as many as there are cores that may be used.
    inter_op_threads: 0 lets TensorFlow decide.
    engine: one of ENGINES.
    trust: whether operations that read or write files, or run Python, are allowed.
    """

    signature: str = "serving_default"
    tags: tuple[str, ...] = ()
    rows_at_once: int = 0
    rows_at_once_gpu: int = 0
    intra_op_threads: int = 0
    inter_op_threads: int = 0
    engine: str = "tensorflow"
    trust: bool = False

    @property
    def threads(self) -> int:
        """How many threads work within an operation."""
        return self.intra_op_threads or usable_cores()

    @property
    def limits_rows(self) -> bool:
        """Whether rows are computed in parts on some device: they must not depend on each other."""
        return bool(self.rows_at_once or self.rows_at_once_gpu)

    def rows_on(self, *, gpu: bool) -> int:
        """Return how many rows a GPU, or the CPU, computes together."""
        return (gpu and self.rows_at_once_gpu) or self.rows_at_once

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
            rows_at_once_gpu=_count(values, "rows_at_once_gpu"),
            intra_op_threads=_count(values, "intra_op_threads"),
            inter_op_threads=_count(values, "inter_op_threads"),
            engine=_one_of(values, "engine", ENGINES),
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


def _one_of(values: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    value = values.get(name, choices[0])
    if value not in choices:
        raise SavedModelError(f"the parameter {name} is {value!r}: one of {choices} is needed")
    return value


def _flag(values: Mapping[str, str], name: str) -> bool:
    value = values.get(name, "false")
    if value not in ("true", "false"):
        raise SavedModelError(f'the parameter {name} is {value!r}: "true" or "false" is needed')
    return value == "true"
