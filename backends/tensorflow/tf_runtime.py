"""TensorFlow started as a model needs it: quiet, with its threads, on its device, without TF32."""

import os
from dataclasses import dataclass
from typing import Any

from tf_quiet import CHATTER, NO_GPU, stderr_without
from tf_settings import Settings


@dataclass(frozen=True)
class Started:
    """How TensorFlow runs, and for the log."""

    on_gpu: bool
    description: str
    warnings: tuple[str, ...]


def start(settings: Settings, *, wants_gpu: bool, device: str) -> Started:
    """Import TensorFlow and set it up, once for a process.

    device: the number of the GPU, as Triton and TensorFlow count them.
    Without the GPU that is wanted, the CPU computes, with a warning: KIND_AUTO is to work with a
    TensorFlow that was built without GPUs, and Triton does not tell it from KIND_GPU here.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # warnings and errors
    with stderr_without(CHATTER if wants_gpu else CHATTER + NO_GPU):
        import tensorflow as tf

        # TF32 rounds float32 to 10 bits of mantissa in convolutions on Ampere and newer GPUs, by
        # default; features then differ in the fourth digit from those of a CPU.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
        tf.config.threading.set_inter_op_parallelism_threads(settings.inter_op_threads)
        has_gpu = _choose_gpu(tf, int(device)) if wants_gpu else _hide_gpus(tf)
        tf.zeros(()).numpy()  # the first operation opens the devices, and makes settings final
    return Started(
        has_gpu,
        f"TensorFlow {tf.__version__} on {f'GPU {device}' if has_gpu else 'the CPU'}, TF32 off, "
        f"threads: {settings.threads} within an operation, "
        f"{settings.inter_op_threads or 'automatic'} across",
        (f"TensorFlow finds no GPU {device}: the CPU computes",) * (wants_gpu and not has_gpu),
    )


def _choose_gpu(tf: Any, number: int) -> bool:
    """Make this GPU the only one that TensorFlow sees; return whether there is one."""
    gpus = tf.config.list_physical_devices("GPU")
    if number >= len(gpus):
        return _hide_gpus(tf)
    tf.config.set_visible_devices([gpus[number]], "GPU")
    # Else the first model takes all of the GPU's memory, and the next ones get none.
    tf.config.experimental.set_memory_growth(gpus[number], True)
    return True


def _hide_gpus(tf: Any) -> bool:
    tf.config.set_visible_devices([], "GPU")
    return False
