"""Where engines' trials are kept: a network is tried once on a machine, not at each start."""

import os
from pathlib import Path

VARIABLE = "TF_BACKEND_TRIALS"
"""As backends/tensorflow/tf_verdict.py reads it."""


def trials_folder() -> str:
    """Return the account's folder for what trials find, "" where none can be made.

    What is stated in the environment comes first. Others must not write there: what a trial found
    decides which engine computes.
    """
    if stated := os.environ.get(VARIABLE):
        return stated
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = cache / "triton-deep-features" / "trials"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return ""
    return str(folder)
