"""A model as Triton's configuration describes it: loaded, completed, asked. Knows no Triton."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tf_batching import Arrays, BatchedModel
from tf_engines import Engine, load_engine
from tf_errors import AnswerError
from tf_graph_safety import read_operations
from tf_model_config import Completion, Config, check, complete
from tf_settings import Settings
from tf_shapes import as_client
from tf_signature import read_meta_graph, read_signature
from tf_verdict import Candidate
from tf_warm_up import warm_up


@dataclass(frozen=True)
class Service:
    """A loaded model.

    description, warnings: for the log, one line each.
    listed_outputs: the outputs in config.pbtxt, by name.
    """

    engine: Engine
    model: BatchedModel
    listed_outputs: Mapping[str, Config]
    description: str
    warnings: Sequence[str]

    def answers(self, requests: Sequence[Arrays]) -> list[Arrays | Exception]:
        """Return the listed outputs, or what went wrong, for each request."""
        return [self._as_client(answer) for answer in self.model.answers(requests)]

    def is_bfloat16(self, name: str) -> bool:
        """Return whether a tensor, input or output, has the type that NumPy lacks."""
        signature = self.model.signature
        tensor = signature.inputs.get(name) or signature.outputs.get(name)
        return tensor is not None and tensor.data_type == "TYPE_BF16"

    def description_of_failure(self, error: Exception) -> str:
        """Return what the log may have of an error: no data of the request."""
        kind = type(error).__name__
        if isinstance(error, AnswerError):
            return f"{kind}: {error}"
        node = self.engine.failed_node(error)
        return f"{kind} in the node {node!r} of the graph" if node else kind

    def _as_client(self, answer: Arrays | Exception) -> Arrays | Exception:
        if isinstance(answer, Exception):
            return answer
        try:
            return {
                name: as_client(answer[name], listed, batches=self.model.batches)
                for name, listed in self.listed_outputs.items()
            }
        except AnswerError as error:
            return error


def completion(config: Config, version_directory: Path) -> Completion:
    """Return what config.pbtxt leaves out, without importing TensorFlow."""
    settings = Settings.from_config(config)
    directory = _saved_model(config, version_directory)
    return complete(config, read_signature(directory, settings.signature, settings.tags))


def load(config: Config, version_directory: Path, *, wants_gpu: bool, device: str) -> Service:
    """Return the model of a version; refuse one that is not what the configuration says.

    The file is looked at before an engine is: what is wrong with it is known at once.
    """
    settings = Settings.from_config(config)
    directory = _saved_model(config, version_directory)
    signature = read_signature(directory, settings.signature, settings.tags)
    check(config, signature, limits_rows=settings.limits_rows)
    operations = read_operations(read_meta_graph(directory, settings.tags))
    if not settings.trust:
        operations.refuse_unsafe()
    engine = load_engine(
        Candidate(directory, version_directory, signature, operations, settings),
        wants_gpu=wants_gpu,
        device=device,
    )
    warmed_up = warm_up(engine.compute, signature, rows_at_once=engine.rows_at_once)
    return Service(
        engine,
        BatchedModel(engine.compute, signature, config["max_batch_size"] > 0, engine.rows_at_once),
        {output["name"]: output for output in config["output"]},
        f"signature {signature.name!r}, {engine.description}, "
        f"rows at once: {engine.rows_at_once or 'all'}; {warmed_up}",
        engine.warnings + _instances(config),
    )


def _saved_model(config: Config, version_directory: Path) -> Path:
    return version_directory / (config.get("default_model_filename") or "model.savedmodel")


def _instances(config: Config) -> tuple[str, ...]:
    """Return a warning if there are several: Triton's default for this backend's name is two."""
    for group in config.get("instance_group", []):
        if group["count"] > 1:
            return (
                f"{group['count']} instances, each a process with its own copy of the weights; "
                "`instance_group [ { count: 1 } ]` in config.pbtxt makes it one",
            )
    return ()
