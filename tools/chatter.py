"""TensorFlow without its start-up chatter, for commands that a person reads."""

import sys
from contextlib import AbstractContextManager

from rich.console import Console

from tools.locations import data_folder


def without_chatter() -> AbstractContextManager[None]:
    """Keep what TensorFlow says when it starts off standard error, during the block."""
    sys.path.append(str(data_folder("backends") / "tensorflow"))
    from tf_quiet import CHATTER, NO_GPU, stderr_without

    quiet: AbstractContextManager[None] = stderr_without(CHATTER + NO_GPU)
    return quiet


def console_of_errors() -> Console:
    """Return standard error as it is before anything is kept off it: a terminal, or not."""
    is_terminal = sys.stderr.isatty()
    return Console(stderr=True, highlight=False, soft_wrap=True, force_terminal=is_terminal)
